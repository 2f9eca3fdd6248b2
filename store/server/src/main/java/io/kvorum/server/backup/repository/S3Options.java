package io.kvorum.server.backup.repository;

import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * How an S3-compatible place is reached. Credentials come from the file, else from {@code AWS_ACCESS_KEY_ID}, {@code AWS_SECRET_ACCESS_KEY} and {@code AWS_SESSION_TOKEN}; for {@code gs://}
 * they are those of an HMAC key.
 *
 * @param endpoint empty: the provider's own
 * @param region empty: {@code AWS_REGION}, {@code AWS_DEFAULT_REGION}, {@code us-east-1}
 * @param pathStyle the bucket stands in the path instead of the host name
 * @param caFile authorities in PEM that are trusted instead of the runtime's own
 * @param credentialsFile in the form of {@code ~/.aws/credentials}; its section {@code default} counts
 * @param environment of the process
 */
public record S3Options(
    Optional<URI> endpoint, Optional<String> region, boolean pathStyle, Optional<Path> caFile, Optional<Path> credentialsFile, Map<String, String> environment) {
  public S3Options {
    environment = Map.copyOf(environment);
  }

  /** The provider's own endpoint, and credentials from the environment. */
  public static S3Options of(Map<String, String> environment) {
    return new S3Options(Optional.empty(), Optional.empty(), false, Optional.empty(), Optional.empty(), environment);
  }

  /** Without the environment, which holds secrets. */
  @Override
  public String toString() {
    return "S3Options[endpoint=" + endpoint + ", region=" + region + ", pathStyle=" + pathStyle + ", caFile=" + caFile + ", credentialsFile=" + credentialsFile + "]";
  }
}
