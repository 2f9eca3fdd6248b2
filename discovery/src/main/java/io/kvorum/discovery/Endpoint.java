package io.kvorum.discovery;

/**
 * One endpoint of the store.
 *
 * @param target as gRPC takes it
 * @param tls whether the connection is secured
 * @param socket a unix socket: its connections do not die without a word
 */
record Endpoint(String target, boolean tls, boolean socket) {
  /** @throws IllegalArgumentException if it is none */
  static Endpoint parse(String text) {
    if (text.startsWith("unix:")) {
      return new Endpoint(text, false, true);
    }
    int scheme = text.indexOf("://");
    String name = scheme < 0 ? "http" : text.substring(0, scheme);
    String authority = scheme < 0 ? text : text.substring(scheme + 3);
    if (authority.endsWith("/")) {
      authority = authority.substring(0, authority.length() - 1);
    }
    if (!authority.matches("(\\[[0-9a-fA-F:.]+]|[^\\[\\]:/@?#]+):\\d{1,5}") || !name.equals("http") && !name.equals("https")) {
      throw new IllegalArgumentException("not an endpoint (http://HOST:PORT, https://HOST:PORT or unix:///PATH): " + text);
    }
    return new Endpoint("dns:///" + authority, name.equals("https"), false);
  }
}
