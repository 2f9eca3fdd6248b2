package io.kvorum.server.gateway;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.OneofDescriptor;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashSet;
import java.util.Set;

/**
 * Finds what is wrong with a JSON request, in etcd's words: those of Go's {@code encoding/json} for what is no JSON, and those of its {@code protojson} for what does not fit
 * the message. Only looks: reading is {@link JsonForms}' work.
 */
final class JsonCheck {
  private static final int DEPTH_MAX = 100;
  private static final int NUMBER_CHARS_MAX = 40;
  private static final BigInteger UINT64_END = BigInteger.ONE.shiftLeft(Long.SIZE);

  private final String text;
  private int at;
  private int depth;
  private String misfit;

  /** The text is no JSON. */
  private static final class Broken extends RuntimeException {
    Broken(String message) {
      super(message, null, false, false);
    }
  }

  private JsonCheck(String text) {
    this.text = text;
  }

  /** What is wrong with the first value of a text as a message of this type; null when nothing is. */
  static String complaint(String text, Descriptor type) {
    JsonCheck check = new JsonCheck(text);
    try {
      check.message(type, false);
      return check.misfit;
    } catch (Broken broken) {
      return broken.getMessage();
    }
  }

  private void misfit(String message) {
    if (misfit == null) {
      misfit = message;
    }
  }

  private String place(int position) {
    int line = 1;
    int start = 0;
    for (int i = 0; i < position; i++) {
      if (text.charAt(i) == '\n') {
        line++;
        start = i + 1;
      }
    }
    return "(line " + line + ":" + (position - start + 1) + ")";
  }

  /** The value's own text; of what has more inside the bracket. */
  private String raw(int start) {
    char first = text.charAt(start);
    return first == '{' || first == '[' ? String.valueOf(first) : text.substring(start, at);
  }

  private void message(Descriptor type, boolean nullable) {
    space();
    int start = at;
    boolean fits = peek() == '{';
    value(fits ? type : null);
    if (!fits && !(nullable && raw(start).equals("null"))) {
      misfit("proto: syntax error " + place(start) + ": unexpected token " + raw(start));
    }
  }

  private void field(FieldDescriptor field) {
    space();
    int start = at;
    boolean array = peek() == '[';
    if (field.isRepeated() && array) {
      array(field);
      return;
    }
    if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE && !field.isRepeated()) {
      message(field.getMessageType(), true);
      return;
    }
    value(null);
    if (field.isRepeated()) {
      if (!raw(start).equals("null")) {
        misfit("proto: syntax error " + place(start) + ": unexpected token " + raw(start));
      }
    } else {
      scalar(field, start);
    }
  }

  private void scalar(FieldDescriptor field, int start) {
    String raw = raw(start);
    boolean fits =
        raw.equals("null")
            || switch (field.getJavaType()) {
              case BYTE_STRING -> raw.startsWith("\"") && isBase64(unquoted(raw));
              case STRING -> raw.startsWith("\"");
              case BOOLEAN -> raw.equals("true") || raw.equals("false");
              case INT, LONG -> isInteger(unquoted(raw), field.getType());
              case ENUM -> raw.startsWith("\"") || isInteger(raw, FieldDescriptor.Type.INT32);
              default -> true;
            };
    if (!fits) {
      String kind = field.getJavaType() == FieldDescriptor.JavaType.ENUM ? "enum" : field.getType().name().toLowerCase(java.util.Locale.ROOT);
      misfit("proto: " + place(start) + ": invalid value for " + kind + " field " + field.getJsonName() + ": " + raw);
    }
  }

  private static String unquoted(String raw) {
    return raw.startsWith("\"") ? raw.substring(1, raw.length() - 1) : raw;
  }

  private static boolean isBase64(String text) {
    try {
      Base64.getDecoder().decode(text.replace("\\/", "/").replace('-', '+').replace('_', '/'));
      return true;
    } catch (IllegalArgumentException wrong) {
      return false;
    }
  }

  private static boolean isInteger(String number, FieldDescriptor.Type type) {
    if (number.isEmpty() || number.charAt(0) == '+' || number.length() > NUMBER_CHARS_MAX) {
      return false;
    }
    try {
      BigDecimal decimal = new BigDecimal(number);
      if (Math.abs((long) decimal.scale()) > NUMBER_CHARS_MAX) {
        return false;
      }
      BigInteger value = decimal.toBigIntegerExact();
      return switch (type) {
        case INT32 -> value.bitLength() < Integer.SIZE;
        case UINT32 -> value.signum() >= 0 && value.bitLength() <= Integer.SIZE;
        case UINT64 -> value.signum() >= 0 && value.compareTo(UINT64_END) < 0;
        default -> value.bitLength() < Long.SIZE;
      };
    } catch (ArithmeticException | NumberFormatException notOne) {
      return false;
    }
  }

  private void value(Descriptor type) {
    char first = peek();
    switch (first) {
      case '{' -> object(type);
      case '[' -> array(null);
      case '"' -> string();
      case 't' -> literal("true");
      case 'f' -> literal("false");
      case 'n' -> literal("null");
      default -> {
        if (first != '-' && !isDigit(first)) {
          throw unexpected("looking for beginning of value");
        }
        number();
      }
    }
  }

  private void enter() {
    at++;
    if (++depth > DEPTH_MAX) {
      throw new Broken("exceeded max depth");
    }
    space();
  }

  private void object(Descriptor type) {
    enter();
    Set<FieldDescriptor> seen = new HashSet<>();
    Set<OneofDescriptor> unions = new HashSet<>();
    boolean more = peek() != '}';
    while (more) {
      if (peek() != '"') {
        throw unexpected("looking for beginning of object key string");
      }
      int start = at;
      string();
      String name = text.substring(start + 1, at - 1);
      FieldDescriptor field = type == null ? null : named(type, name);
      if (field != null && !seen.add(field)) {
        misfit("proto: " + place(start) + ": duplicate field \"" + name + "\"");
      }
      if (field != null && field.getContainingOneof() != null && !unions.add(field.getContainingOneof())) {
        misfit("proto: " + place(start) + ": error parsing \"" + name + "\", oneof " + field.getContainingOneof().getFullName() + " is already set");
      }
      space();
      if (peek() != ':') {
        throw unexpected("after object key");
      }
      at++;
      space();
      if (field == null) {
        value(null);
      } else {
        field(field);
      }
      more = goesOn('}', "after object key:value pair");
    }
    at++;
    depth--;
  }

  private void array(FieldDescriptor field) {
    enter();
    boolean more = peek() != ']';
    while (more) {
      int start = at;
      if (field != null && field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
        message(field.getMessageType(), false);
      } else {
        value(null);
        if (field != null) {
          scalar(field, start);
        }
      }
      more = goesOn(']', "after array element");
    }
    at++;
    depth--;
  }

  /** Whether another element follows, which then is next. */
  private boolean goesOn(char end, String where) {
    space();
    if (peek() == end) {
      return false;
    }
    if (peek() != ',') {
      throw unexpected(where);
    }
    at++;
    space();
    if (end == ']' && peek() == ']') {
      throw unexpected("looking for beginning of value");
    }
    return true;
  }

  private static FieldDescriptor named(Descriptor type, String name) {
    FieldDescriptor field = type.findFieldByName(name);
    return field != null ? field : type.getFields().stream().filter(each -> each.getJsonName().equals(name)).findFirst().orElse(null);
  }

  private void string() {
    at++;
    for (char c = peek(); c != '"'; c = peek()) {
      if (c < ' ') {
        throw unexpected("in string literal");
      }
      at++;
      if (c == '\\') {
        escape();
      }
    }
    at++;
  }

  private void escape() {
    char c = peek();
    if ("bfnrt\\/\"".indexOf(c) < 0 && c != 'u') {
      throw unexpected("in string escape code");
    }
    at++;
    for (int i = 0; c == 'u' && i < 4; i++, at++) {
      if (Character.digit(peek(), 16) < 0) {
        throw unexpected("in \\u hexadecimal character escape");
      }
    }
  }

  private void literal(String word) {
    at++;
    for (int i = 1; i < word.length(); i++, at++) {
      if (peek() != word.charAt(i)) {
        throw unexpected("in literal " + word + " (expecting " + quoted(word.charAt(i)) + ")");
      }
    }
  }

  private void number() {
    if (peek() == '-') {
      at++;
    }
    if (peek() == '0') {
      at++;
    } else {
      digits("in numeric literal");
    }
    if (at < text.length() && text.charAt(at) == '.') {
      at++;
      digits("after decimal point in numeric literal");
    }
    if (at < text.length() && (text.charAt(at) == 'e' || text.charAt(at) == 'E')) {
      at++;
      if (peek() == '+' || peek() == '-') {
        at++;
      }
      digits("in exponent of numeric literal");
    }
  }

  private void digits(String where) {
    if (!isDigit(peek())) {
      throw unexpected(where);
    }
    while (at < text.length() && isDigit(text.charAt(at))) {
      at++;
    }
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private char peek() {
    if (at >= text.length()) {
      throw new Broken("unexpected EOF");
    }
    return text.charAt(at);
  }

  private void space() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private Broken unexpected(String where) {
    return new Broken("invalid character " + quoted(text.charAt(at)) + " " + where);
  }

  private static String quoted(char c) {
    return switch (c) {
      case '\'' -> "'\\''";
      case '\\' -> "'\\\\'";
      case '\n' -> "'\\n'";
      case '\r' -> "'\\r'";
      case '\t' -> "'\\t'";
      default -> c < ' ' ? String.format("'\\x%02x'", (int) c) : "'" + firstByte(c) + "'";
    };
  }

  /** Go looks at bytes: of a character beyond ASCII it names the first. */
  private static char firstByte(char c) {
    return c < 0x80 ? c : (char) (String.valueOf(c).getBytes(StandardCharsets.UTF_8)[0] & 0xff);
  }
}
