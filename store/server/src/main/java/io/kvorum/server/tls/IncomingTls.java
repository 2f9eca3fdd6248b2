package io.kvorum.server.tls;

import io.kvorum.server.config.TlsSettings;
import io.kvorum.server.logging.Log;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandler;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import java.security.cert.Certificate;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * TLS of ports. A connection passes:
 *
 * <ol>
 *   <li>the handshake, with the files as they are then: chain, dates, purpose, allowed names;
 *   <li>the revocation list, also for resumed sessions;
 *   <li>on the peer port, that the caller's address fits its certificate.
 * </ol>
 *
 * Refusals are logged in etcd's words.
 */
public final class IncomingTls {
  private static final Log LOG = Log.of(IncomingTls.class);
  private static final long HANDSHAKE_MILLIS = 10_000;
  private static final long LOOKUP_MILLIS = 5_000;
  private static final long IDLE_SECONDS = 10;

  private final Side side;
  private final TlsSettings settings;
  private final TlsFiles files;
  private final CurrentContext http;
  private final CurrentContext grpc;
  private final CurrentContext both;
  private final Executor handshakes;

  /** Whose connections they are. */
  public enum Side {
    CLIENT("rejected connection on client endpoint"),
    PEER("rejected connection on peer endpoint");

    private final String rejected;

    Side(String rejected) {
      this.rejected = rejected;
    }
  }

  /** What a port speaks. */
  public enum Speaks {
    HTTP,
    GRPC,
    BOTH
  }

  /**
   * @throws TlsException when the files cannot be used
   */
  public IncomingTls(Side side, TlsSettings settings, TlsFiles files) throws TlsException {
    this.side = side;
    this.settings = settings;
    this.files = files;
    this.http = context(List.of(Contexts.HTTP1));
    this.grpc = context(List.of(Contexts.HTTP2));
    // Who offers both is no gRPC client, which can speak HTTP/2 alone; plain HTTP is served as HTTP/1.1.
    this.both = context(List.of(Contexts.HTTP1, Contexts.HTTP2)).prepared();
    this.handshakes = executor();
  }

  private CurrentContext context(List<String> protocols) {
    return new CurrentContext(files, material -> Contexts.server(settings, material, protocols));
  }

  /** The public key work of handshakes takes milliseconds that calls on the same event loop must not wait for. Bounded by the connections, each has one task. */
  private static Executor executor() {
    int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    ThreadPoolExecutor executor =
        new ThreadPoolExecutor(
            threads, threads, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> Thread.ofPlatform().daemon().name("tls-handshake").unstarted(task));
    executor.allowCoreThreadTimeOut(true);
    return executor;
  }

  /** The handler of a new connection. */
  public SslHandler handler(ByteBufAllocator allocator, Speaks speaks) {
    CurrentContext context =
        switch (speaks) {
          case HTTP -> http;
          case GRPC -> grpc;
          case BOTH -> both;
        };
    SSLEngine engine = context.get().newEngine(allocator);
    SslHandler handler = new SslHandler(engine, handshakes);
    handler.setHandshakeTimeoutMillis(HANDSHAKE_MILLIS);
    return handler;
  }

  /**
   * The checks after the handshake.
   *
   * @return null when the connection may go on at once; else it completes with the reason of a refusal, or null
   */
  public CompletionStage<String> check(SSLSession session, SocketAddress caller) {
    X509Certificate[] chain = shown(session);
    if (chain.length == 0) {
      return null;
    }
    for (X509CRL list : files.look().revocations()) {
      for (X509Certificate certificate : chain) {
        // By serial number alone, as etcd: the list of one CA is given for all that this port trusts.
        if (list.getRevokedCertificate(certificate.getSerialNumber()) != null) {
          return CompletableFuture.completedFuture("transport: certificate serial " + certificate.getSerialNumber().toString(16) + " revoked");
        }
      }
    }
    if (settings.skipSanVerification() || !(caller instanceof InetSocketAddress address)) {
      return null;
    }
    SubjectNames names = SubjectNames.of(chain[0]);
    if (CallerAddress.needsNoLookup(names, address.getAddress())) {
      return null;
    }
    CompletableFuture<String> answer = new CompletableFuture<String>().completeOnTimeout("tls: looking up the certificate's names took too long", LOOKUP_MILLIS, TimeUnit.MILLISECONDS);
    Thread.ofVirtual().name("tls-lookup").start(() -> answer.complete(CallerAddress.refusal(names, address.getAddress())));
    return answer;
  }

  private static X509Certificate[] shown(SSLSession session) {
    try {
      Certificate[] chain = session.getPeerCertificates();
      return chain instanceof X509Certificate[] certificates ? certificates : java.util.Arrays.copyOf(chain, chain.length, X509Certificate[].class);
    } catch (SSLPeerUnverifiedException none) {
      return new X509Certificate[0];
    }
  }

  /**
   * Logs a refusal.
   *
   * @param session null when none came about
   */
  public void rejected(SocketAddress caller, SSLSession session, String reason) {
    X509Certificate[] chain = session == null ? new X509Certificate[0] : shown(session);
    String remote = caller instanceof InetSocketAddress address ? address.getAddress().getHostAddress() + ":" + address.getPort() : String.valueOf(caller);
    if (chain.length > 0) {
      SubjectNames names = SubjectNames.of(chain[0]);
      LOG.warn(side.rejected, "remote-addr", remote, "ip-addresses", names.addresses(), "dns-names", names.hosts(), "error", reason);
    } else {
      LOG.warn(side.rejected, "remote-addr", remote, "error", reason);
    }
  }

  /** The reason of a failed handshake in a few words. */
  public static String reason(Throwable failure) {
    if (failure instanceof NotSslRecordException) {
      // The runtime's text would quote what was sent.
      return "tls: first record does not look like a TLS handshake";
    }
    if (failure instanceof ClosedChannelException) {
      return "EOF";
    }
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return "tls: " + root.getMessage();
  }
}
