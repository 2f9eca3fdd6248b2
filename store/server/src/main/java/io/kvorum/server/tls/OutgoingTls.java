package io.kvorum.server.tls;

import io.kvorum.server.config.TlsSettings;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolNegotiator;
import io.netty.handler.ssl.SslContext;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSessionContext;

/** The context of connections to other members: each one that is opened takes certificate, key and CAs from the files as they are then. */
public final class OutgoingTls extends SslContext {
  /** One family of groups alone, which all members know: with two, each hello carries a key of both, and making one takes a cold start tens of milliseconds. */
  private static final String[] GROUPS = {"secp256r1", "secp384r1", "secp521r1"};

  private final CurrentContext current;

  /** Costs nothing before the first connection, for members without TLS. */
  public OutgoingTls(TlsSettings settings, TlsFiles files) {
    this.current = new CurrentContext(files, material -> Contexts.client(settings, material));
  }

  /**
   * Sets up what the first connection needs.
   *
   * @throws TlsException when the files cannot be used
   */
  public OutgoingTls prepared() throws TlsException {
    current.prepared();
    return this;
  }

  @Override
  public boolean isClient() {
    return true;
  }

  @Override
  public List<String> cipherSuites() {
    return current.get().cipherSuites();
  }

  @Override
  public ApplicationProtocolNegotiator applicationProtocolNegotiator() {
    return current.get().applicationProtocolNegotiator();
  }

  @Override
  public SSLEngine newEngine(ByteBufAllocator allocator) {
    return quick(current.get().newEngine(allocator));
  }

  @Override
  public SSLEngine newEngine(ByteBufAllocator allocator, String host, int port) {
    return quick(current.get().newEngine(allocator, host, port));
  }

  @Override
  public SSLSessionContext sessionContext() {
    return current.get().sessionContext();
  }

  private static SSLEngine quick(SSLEngine engine) {
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setNamedGroups(GROUPS);
    engine.setSSLParameters(parameters);
    return engine;
  }
}
