package io.kvorum.server.gateway;

/** The JSON values that stand one after the other in a request's body, cut apart and not looked into. */
final class JsonValues {
  private final String text;
  private int position;

  JsonValues(String text) {
    this.text = text;
    skipSpace();
  }

  boolean hasNext() {
    return position < text.length();
  }

  /** The next value; what is no object goes to the next white space, and one that does not end to the end of the text. */
  String next() {
    int start = position;
    if (text.charAt(start) == '{') {
      position = endOfObject(start);
    } else {
      while (position < text.length() && !isSpace(text.charAt(position))) {
        position++;
      }
    }
    String value = text.substring(start, position);
    skipSpace();
    return value;
  }

  private int endOfObject(int start) {
    int depth = 0;
    boolean quoted = false;
    for (int i = start; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quoted) {
        if (c == '\\') {
          i++;
        } else if (c == '"') {
          quoted = false;
        }
      } else if (c == '"') {
        quoted = true;
      } else if (c == '{' || c == '[') {
        depth++;
      } else if ((c == '}' || c == ']') && --depth == 0) {
        return i + 1;
      }
    }
    return text.length();
  }

  private void skipSpace() {
    while (position < text.length() && isSpace(text.charAt(position))) {
      position++;
    }
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
  }
}
