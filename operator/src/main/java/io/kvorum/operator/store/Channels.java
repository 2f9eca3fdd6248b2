package io.kvorum.operator.store;

import io.grpc.ChannelCredentials;
import io.grpc.ConnectivityState;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** One connection for each member that is in use; at most {@link #LIMIT}, and all are new when the TLS files have changed. Safe for several threads. */
final class Channels implements AutoCloseable {
  /** Seven voters, a learner, and those on their way out. */
  static final int LIMIT = 16;

  private static final int MAX_ANSWER_BYTES = 8 << 20;

  private final Map<String, ManagedChannel> open = new HashMap<>();
  private Optional<StoreAccess.Tls> tls = Optional.empty();

  /** @throws IllegalStateException when more than {@link #LIMIT} members are asked for */
  synchronized ManagedChannel to(StoreAdmin.Endpoint endpoint, StoreAccess access) {
    if (!tls.equals(access.tls())) {
      close();
      tls = access.tls();
    }
    ManagedChannel channel = open.get(endpoint.clientUrl());
    if (channel != null) {
      return channel;
    }
    if (open.size() == LIMIT) {
      throw new IllegalStateException("more than " + LIMIT + " members are in use");
    }
    URI url = URI.create(endpoint.clientUrl());
    channel = Grpc.newChannelBuilderForAddress(url.getHost(), url.getPort(), credentials(access)).maxInboundMessageSize(MAX_ANSWER_BYTES).build();
    open.put(endpoint.clientUrl(), channel);
    return channel;
  }

  /**
   * Closes the connections to members that are none any more. Those that failed are tried again at once: their own pauses grow to two minutes, and a member that
   * came back must be seen by the next observation.
   */
  synchronized void keepOnly(List<StoreAdmin.Endpoint> members) {
    Set<String> wanted = members.stream().map(StoreAdmin.Endpoint::clientUrl).collect(Collectors.toSet());
    for (String url : new HashSet<>(open.keySet())) {
      if (!wanted.contains(url)) {
        open.remove(url).shutdownNow();
      }
    }
    for (ManagedChannel channel : open.values()) {
      if (channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
        channel.resetConnectBackoff();
      }
    }
  }

  @Override
  public synchronized void close() {
    open.values().forEach(ManagedChannel::shutdownNow);
    open.clear();
  }

  private static ChannelCredentials credentials(StoreAccess access) {
    if (access.tls().isEmpty()) {
      return InsecureChannelCredentials.create();
    }
    StoreAccess.Tls files = access.tls().get();
    try {
      TlsChannelCredentials.Builder builder = TlsChannelCredentials.newBuilder().trustManager(trust(files.trusted()));
      if (!files.certificate().isEmpty()) {
        builder.keyManager(stream(files.certificate()), stream(files.key()));
      }
      return builder.build();
    } catch (IOException e) {
      throw new UncheckedIOException("reading a PEM text", e);
    }
  }

  /**
   * Of all certificates of the text. The builder's own reading keeps one of those that carry the same name, and during a rotation the present authority and its
   * successor may.
   */
  private static TrustManager[] trust(String text) throws IOException {
    try {
      KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
      authorities.load(null, null);
      int number = 0;
      for (Certificate authority : CertificateFactory.getInstance("X.509").generateCertificates(stream(text))) {
        authorities.setCertificateEntry("authority-" + number++, authority);
      }
      TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(authorities);
      return factory.getTrustManagers();
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  private static ByteArrayInputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }
}
