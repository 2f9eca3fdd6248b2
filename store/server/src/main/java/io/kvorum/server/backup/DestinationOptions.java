package io.kvorum.server.backup;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.server.backup.repository.Destination;
import io.kvorum.server.backup.repository.EncryptionKey;
import io.kvorum.server.backup.repository.ObjectStore;
import io.kvorum.server.backup.repository.RateLimit;
import io.kvorum.server.backup.repository.S3Options;
import io.kvorum.server.backup.repository.Settings;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that say where backups are. Credentials never come from an option. */
public final class DestinationOptions {
  @Option(names = "--destination", required = true, paramLabel = "LOCATION", description = "/folder, file:///folder, s3://bucket/prefix or gs://bucket/prefix")
  private String destination;

  @Option(names = "--encryption-key-file", description = "32 bytes, 64 hex digits or base64; a repository is encrypted with the key it was made with")
  private Path keyFile;

  @Option(names = "--throttle", defaultValue = "0", paramLabel = "BYTES", description = "bytes a second to and from the destination at most (default: no limit)")
  private long throttle;

  @Option(names = "--s3-endpoint", paramLabel = "URL", description = "of an S3-compatible server (default: the provider's own)")
  private URI endpoint;

  @Option(names = "--s3-region", description = "(default: AWS_REGION, AWS_DEFAULT_REGION, us-east-1)")
  private String region;

  @Option(names = "--s3-path-style", description = "the bucket stands in the path, not in the host's name")
  private boolean pathStyle;

  @Option(names = "--s3-ca-file", description = "authorities to trust instead of the runtime's own")
  private Path caFile;

  @Option(
      names = "--s3-credentials-file",
      description = "as ~/.aws/credentials, section default (default: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN)")
  private Path credentialsFile;

  /**
   * The place; whether it can be reached shows at the first call.
   *
   * @throws IllegalArgumentException when the location is none
   */
  public ObjectStore open(Map<String, String> environment, FailPoint failPoint) throws IOException {
    S3Options s3 =
        new S3Options(Optional.ofNullable(endpoint), Optional.ofNullable(region), pathStyle, Optional.ofNullable(caFile), Optional.ofNullable(credentialsFile), environment);
    return Destination.parse(destination, s3, failPoint);
  }

  public Optional<EncryptionKey> key() throws IOException {
    return keyFile == null ? Optional.empty() : Optional.of(EncryptionKey.read(keyFile));
  }

  /** @throws IllegalArgumentException when the limit is negative */
  public Settings settings(FailPoint failPoint) {
    return new Settings(RateLimit.of(throttle), InstantSource.system(), new SecureRandom(), failPoint);
  }
}
