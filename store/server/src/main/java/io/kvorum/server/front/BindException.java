package io.kvorum.server.front;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

/** A port cannot be listened on. The message is etcd's: {@code listen tcp 127.0.0.1:2379: bind: address already in use}. */
public final class BindException extends IOException {
  private static final long serialVersionUID = 1L;

  BindException(SocketAddress address, Throwable cause) {
    super("listen " + (address instanceof InetSocketAddress tcp ? "tcp " + text(tcp) : "unix " + address) + ": bind: " + reason(cause), cause);
  }

  private static String text(InetSocketAddress address) {
    String host = address.isUnresolved() ? address.getHostString() : address.getAddress().getHostAddress();
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
  }

  private static String reason(Throwable cause) {
    Throwable root = cause;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String text = String.valueOf(root.getMessage());
    if (text.contains("in use")) {
      return "address already in use";
    }
    return text.contains("assign") ? "cannot assign requested address" : text;
  }
}
