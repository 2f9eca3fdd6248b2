package io.kvorum.server.tls;

/** Certificate, key, CA or revocation files that cannot be used; the message is for the user and names the file. */
public final class TlsException extends Exception {
  private static final long serialVersionUID = 1L;

  TlsException(String message) {
    super(message);
  }

  TlsException(String message, Throwable cause) {
    super(message, cause);
  }
}
