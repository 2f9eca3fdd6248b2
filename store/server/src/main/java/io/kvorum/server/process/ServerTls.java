package io.kvorum.server.process;

import io.kvorum.server.config.ServerConfig;
import io.kvorum.server.config.TlsSettings;
import io.kvorum.server.config.Urls;
import io.kvorum.server.front.PortTls;
import io.kvorum.server.tls.IncomingTls;
import io.kvorum.server.tls.OutgoingTls;
import io.kvorum.server.tls.SelfSigned;
import io.kvorum.server.tls.TlsException;
import io.kvorum.server.tls.TlsFiles;
import io.netty.handler.ssl.SslContext;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * TLS of all ports and connections of this process.
 *
 * @param client for clients and metrics, null when no URL of them needs it
 * @param peer for the peer port, null when no URL of it needs it
 * @param outgoing for connections to https peer URLs
 * @param files of clients' ports and of peers; those of clients only when a URL of them needs TLS
 */
record ServerTls(IncomingTls client, IncomingTls peer, SslContext outgoing, Files files) {
  /**
   * @param client null for none
   * @param peer also those for connections that are opened from here; without any file when there is no TLS
   */
  record Files(TlsFiles client, TlsFiles peer) {
    List<TlsFiles> all() {
      return client == null ? List.of(peer) : List.of(client, peer);
    }
  }

  /**
   * Reads, or makes, all certificates.
   *
   * @throws StartException naming the file that is missing or wrong
   */
  static ServerTls open(ServerConfig config) throws StartException {
    ServerConfig.Listen listen = config.listen();
    List<String> clientUrls = new ArrayList<>(listen.clientUrls());
    clientUrls.addAll(listen.clientHttpUrls());
    List<String> forClients = new ArrayList<>(clientUrls);
    forClients.addAll(listen.metricsUrls());
    Path fixtures = config.dataDir().resolve("fixtures");
    try {
      IncomingTls client = null;
      TlsFiles clientFiles = null;
      if (forClients.stream().anyMatch(ServerTls::isHttps)) {
        TlsSettings settings = madeIfWanted(config.security().client(), fixtures.resolve("client"), clientUrls);
        clientFiles = TlsFiles.open(settings);
        client = new IncomingTls(IncomingTls.Side.CLIENT, settings, clientFiles);
      }
      TlsSettings settings = config.security().peer();
      boolean listens = listen.peerUrls().stream().anyMatch(ServerTls::isHttps);
      if (listens) {
        settings = madeIfWanted(settings, fixtures.resolve("peer"), listen.peerUrls());
      }
      TlsFiles files = TlsFiles.open(settings);
      OutgoingTls outgoing = new OutgoingTls(settings, files);
      Files both = new Files(clientFiles, files);
      if (listens) {
        return new ServerTls(client, new IncomingTls(IncomingTls.Side.PEER, settings, files), outgoing.prepared(), both);
      }
      return new ServerTls(client, null, outgoing, both);
    } catch (TlsException e) {
      throw new StartException("failed to start", e.getMessage());
    }
  }

  private static TlsSettings madeIfWanted(TlsSettings settings, Path directory, List<String> urls) throws TlsException {
    if (!settings.auto() || !settings.isEmpty()) {
      return settings;
    }
    return SelfSigned.in(directory, urls.stream().filter(url -> !Urls.isUnix(url)).map(Urls::host).toList(), settings, Instant.now());
  }

  static boolean isHttps(String url) {
    return Urls.isTls(url);
  }

  /**
   * How one URL of a list is served: an address that is named with both schemes takes connections of both kinds.
   *
   * @param side the TLS of that list
   */
  static PortTls of(String url, List<String> urls, IncomingTls side) {
    if (!isHttps(url)) {
      return urls.contains("https" + url.substring("http".length())) ? new PortTls(side, true) : PortTls.NONE;
    }
    return urls.contains("http" + url.substring("https".length())) ? new PortTls(side, true) : PortTls.only(side);
  }

  /** The URLs of a list, those that share an address once. */
  static List<String> addresses(List<String> urls) {
    return urls.stream().filter(url -> !isHttps(url) || !urls.contains("http" + url.substring("https".length()))).toList();
  }
}
