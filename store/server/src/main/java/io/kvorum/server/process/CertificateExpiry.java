package io.kvorum.server.process;

import io.kvorum.protocol.v1.Certificate;
import io.kvorum.server.admin.Certificates;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.Locale;

/** When the certificates in use expire. */
record CertificateExpiry(Certificates certificates) implements MetricSource {
  @Override
  public void collect(MetricsText out) {
    for (Certificate certificate : certificates.list()) {
      out.gauge(
          "kvorum_certificate_expiry_timestamp_seconds", "When a certificate in use expires, in seconds since 1970, by its place in the TLS files.",
          MetricsText.labels(
              "role", certificate.getRole().name().toLowerCase(Locale.ROOT), "position", String.valueOf(certificate.getPosition()),
              "subject", certificate.getSubject(), "sha256", certificate.getSha256()),
          certificate.getNotAfter());
    }
  }
}
