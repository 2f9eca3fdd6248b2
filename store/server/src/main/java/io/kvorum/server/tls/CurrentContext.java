package io.kvorum.server.tls;

import io.kvorum.server.logging.Log;
import io.netty.handler.ssl.SslContext;

/** The context for what the files hold now. A new one begins without sessions to resume, so that whom the new files do not trust cannot come in by an old one. */
final class CurrentContext {
  private static final Log LOG = Log.of(CurrentContext.class);

  /** Makes a context. */
  @FunctionalInterface
  interface Maker {
    SslContext make(TlsMaterial material) throws TlsException;
  }

  private final TlsFiles files;
  private final Maker maker;
  private TlsMaterial made;
  private SslContext context;

  CurrentContext(TlsFiles files, Maker maker) {
    this.files = files;
    this.maker = maker;
  }

  /**
   * Makes the first context ahead of its first use.
   *
   * @throws TlsException when what the files hold cannot be used
   */
  synchronized CurrentContext prepared() throws TlsException {
    made = files.look();
    context = maker.make(made);
    return this;
  }

  /**
   * @throws IllegalStateException when there has never been a usable one
   */
  synchronized SslContext get() {
    TlsMaterial now = files.look();
    if (now != made) {
      made = now;
      try {
        context = maker.make(now);
      } catch (TlsException e) {
        LOG.warn("cannot use the reloaded TLS files; those loaded before stay in use", "error", e.getMessage());
      }
    }
    if (context == null) {
      throw new IllegalStateException("TLS is not set up");
    }
    return context;
  }
}
