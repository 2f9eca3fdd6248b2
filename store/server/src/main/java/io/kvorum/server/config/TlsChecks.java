package io.kvorum.server.config;

import io.kvorum.server.config.Parsed.Notice;
import java.util.List;
import java.util.Set;

/** The TLS flags of both sides, their checks in etcd's words, and which URLs need them. */
final class TlsChecks {
  private static final String NEWEST = "TLS1.3";
  private static final Set<String> VERSIONS = Set.of("", "TLS1.2", NEWEST);

  private final FlagValues values;
  private final List<Notice> notices;

  TlsChecks(FlagValues values, List<Notice> notices) {
    this.values = values;
    this.notices = notices;
  }

  void versions() throws ConfigException {
    for (String flag : List.of("tls-min-version", "tls-max-version")) {
      if (!VERSIONS.contains(values.text(flag))) {
        throw new ConfigException("unexpected TLS version " + GoSyntax.quote(values.text(flag)) + ". Must be one of: TLS1.2, TLS1.3");
      }
    }
    String min = values.text("tls-min-version");
    if (min.equals(NEWEST) && values.text("tls-max-version").equals("TLS1.2")) {
      throw new ConfigException("min version (TLS1.3) is greater than max version (TLS1.2)");
    }
    if (min.equals(NEWEST) && !values.strings("cipher-suites").isEmpty()) {
      throw new ConfigException("cipher suites cannot be configured when only TLS1.3 is enabled");
    }
  }

  TlsSettings client(ServerConfig.Listen listen) throws ConfigException {
    TlsSettings tls = settings("", List.of(), values.strings("client-cert-allowed-hostname"), true);
    warnPlain(tls, listen.clientUrls());
    warnPlain(tls, listen.clientHttpUrls());
    for (List<String> urls : List.of(listen.clientUrls(), listen.clientHttpUrls(), listen.metricsUrls())) {
      for (String url : urls) {
        if (isHttps(url) && tls.isEmpty() && !tls.auto()) {
          throw new ConfigException("TLS key/cert (--cert-file, --key-file) must be provided for client url " + url + " with HTTPS scheme");
        }
      }
    }
    return consistent(tls, "client", listen.clientUrls());
  }

  TlsSettings peer(ServerConfig.Listen listen) throws ConfigException {
    TlsSettings tls =
        settings("peer-", values.strings("peer-cert-allowed-cn"), values.strings("peer-cert-allowed-hostname"), values.bool("peer-skip-client-san-verification"));
    warnPlain(tls, listen.peerUrls());
    for (String url : listen.peerUrls()) {
      if (isHttps(url) && tls.isEmpty() && !tls.auto()) {
        throw new ConfigException("cannot listen on TLS for " + url.substring("https://".length()) + ": KeyFile and CertFile are not presented");
      }
    }
    return consistent(tls, "peer", listen.peerUrls());
  }

  private TlsSettings settings(String prefix, List<String> allowedNames, List<String> allowedHostnames, boolean skipSan) {
    return new TlsSettings(
        values.text(prefix + "cert-file"), values.text(prefix + "key-file"), values.text(prefix + "client-cert-file"), values.text(prefix + "client-key-file"),
        values.text(prefix + "trusted-ca-file"), values.text(prefix.isEmpty() ? "client-crl-file" : "peer-crl-file"), values.bool(prefix + "client-cert-auth"),
        allowedNames, allowedHostnames, skipSan, values.bool(prefix + "auto-tls"), values.number("self-signed-cert-validity"),
        values.strings("cipher-suites"), values.text("tls-min-version").isEmpty() ? "TLS1.2" : values.text("tls-min-version"), values.text("tls-max-version"));
  }

  private TlsSettings consistent(TlsSettings tls, String side, List<String> urls) throws ConfigException {
    if (tls.auto() && !tls.isEmpty()) {
      notices.add(Notice.warn("ignoring " + side + " auto TLS since certs given"));
    }
    if (tls.auto() && tls.isEmpty() && urls.stream().anyMatch(TlsChecks::isHttps) && tls.validityYears() == 0) {
      throw new ConfigException("selfSignedCertValidity is invalid,it should be greater than 0");
    }
    if (!tls.isEmpty() && (tls.certFile().isEmpty() || tls.keyFile().isEmpty())) {
      throw new ConfigException("KeyFile and CertFile must both be present[key: " + tls.keyFile() + ", cert: " + tls.certFile() + "]");
    }
    if (tls.clientCertFile().isEmpty() != tls.clientKeyFile().isEmpty()) {
      throw new ConfigException(
          "ClientKeyFile and ClientCertFile must both be present or both absent: key: " + tls.clientKeyFile() + ", cert: " + tls.clientCertFile() + "]");
    }
    if (!tls.allowedNames().isEmpty() && !tls.allowedHostnames().isEmpty()) {
      throw new ConfigException("AllowedCNs and AllowedHostnames are mutually exclusive (cns=" + tls.allowedNames() + ", hostnames=" + tls.allowedHostnames() + ")");
    }
    return tls;
  }

  private void warnPlain(TlsSettings tls, List<String> urls) {
    for (String url : urls) {
      if (!isHttps(url) && !tls.isEmpty()) {
        notices.add(Notice.warn("scheme is http or unix while key and cert files are present; ignoring key and cert files", "url", url));
      }
      if (!isHttps(url) && tls.clientCertAuth()) {
        notices.add(Notice.warn("scheme is http or unix while --client-cert-auth is enabled; ignoring client cert auth for this URL", "url", url));
      }
    }
  }

  private static boolean isHttps(String url) {
    return Urls.isTls(url);
  }
}
