package io.kvorum.server.backup.repository;

import io.kvorum.server.backup.repository.BackupException.Reason;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.StandardRetryStrategy;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.S3Configuration;

/**
 * Clients of S3-compatible storage. Checksums of S3's own kind and chunked signatures are left out, because not every server takes them; each body carries its MD5 instead, which all check.
 */
final class S3Clients {
  static final int ATTEMPTS_MAX = 6;

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration READ_TIMEOUT = Duration.ofSeconds(60);
  static final Duration BACKOFF_MIN = Duration.ofMillis(200);
  private static final Duration BACKOFF_MAX = Duration.ofSeconds(10);
  private static final URI GCS = URI.create("https://storage.googleapis.com");

  private S3Clients() {}

  /**
   * @param gcs Google's interface, unless the options name an endpoint
   * @param backoff before the first repetition at most; doubles with each
   */
  static S3Client create(S3Options options, boolean gcs, Duration backoff) throws IOException {
    UrlConnectionHttpClient.Builder http = UrlConnectionHttpClient.builder().connectionTimeout(CONNECT_TIMEOUT).socketTimeout(READ_TIMEOUT);
    if (options.caFile().isPresent()) {
      TrustManager[] trusted = trusted(options.caFile().get());
      http.tlsTrustManagersProvider(() -> trusted);
    }
    StandardRetryStrategy retries =
        AwsRetryStrategy.standardRetryStrategy().toBuilder()
            .maxAttempts(ATTEMPTS_MAX)
            .backoffStrategy(BackoffStrategy.exponentialDelay(backoff, BACKOFF_MAX))
            .throttlingBackoffStrategy(BackoffStrategy.exponentialDelay(backoff, BACKOFF_MAX))
            .circuitBreakerEnabled(false)
            .build();
    ProfileFile none = ProfileFile.builder().content(new ByteArrayInputStream(new byte[0])).type(ProfileFile.Type.CONFIGURATION).build();
    S3ClientBuilder builder =
        S3Client.builder()
            .httpClient(http.build())
            .credentialsProvider(S3Credentials.of(options))
            .region(Region.of(region(options, gcs)))
            .forcePathStyle(options.pathStyle() || gcs)
            .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
            .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
            .serviceConfiguration(S3Configuration.builder().chunkedEncodingEnabled(false).expectContinueEnabled(false).build())
            // Nobody's ~/.aws/config decides where backups go.
            .overrideConfiguration(configuration -> configuration.retryStrategy(retries).defaultProfileFile(none).defaultProfileName("default"));
    options.endpoint().or(() -> gcs ? Optional.of(GCS) : Optional.empty()).ifPresent(builder::endpointOverride);
    return builder.build();
  }

  private static String region(S3Options options, boolean gcs) {
    Map<String, String> environment = options.environment();
    return options
        .region()
        .or(() -> gcs ? Optional.of("auto") : Optional.empty())
        .or(() -> Stream.of("AWS_REGION", "AWS_DEFAULT_REGION").map(environment::get).filter(value -> value != null && !value.isEmpty()).findFirst())
        .orElse("us-east-1");
  }

  private static TrustManager[] trusted(Path file) throws BackupException {
    try (InputStream in = Files.newInputStream(file)) {
      Collection<? extends Certificate> certificates = CertificateFactory.getInstance("X.509").generateCertificates(in);
      if (certificates.isEmpty()) {
        throw new BackupException(Reason.DESTINATION_UNAVAILABLE, "CA file " + file + ": no certificates");
      }
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      int number = 0;
      for (Certificate certificate : certificates) {
        store.setCertificateEntry("ca" + number++, certificate);
      }
      TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      return factory.getTrustManagers();
    } catch (BackupException e) {
      throw e;
    } catch (IOException | GeneralSecurityException e) {
      throw new BackupException(Reason.DESTINATION_UNAVAILABLE, "CA file " + file + ": " + e.getClass().getSimpleName() + ": " + e.getMessage());
    }
  }
}
