package io.kvorum.server.front;

import io.kvorum.server.tls.IncomingTls;

/**
 * Whether a port speaks TLS.
 *
 * @param incoming null for a port without
 * @param plainToo connections without TLS are served as well
 */
public record PortTls(IncomingTls incoming, boolean plainToo) {
  public static final PortTls NONE = new PortTls(null, true);

  public static PortTls only(IncomingTls incoming) {
    return new PortTls(incoming, false);
  }

  boolean isRequired() {
    return incoming != null && !plainToo;
  }
}
