package io.kvorum.server.backup.repository;

import io.kvorum.server.backup.repository.BackupException.Reason;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.profiles.ProfileFile;

/** Credentials from a file, which is read for each request so that it can be exchanged, or from the environment. No message says any part of them. */
final class S3Credentials {
  private static final String SECTION = "default";

  private S3Credentials() {}

  /**
   * @throws BackupException {@code DESTINATION_UNAVAILABLE} when there are none
   */
  static AwsCredentialsProvider of(S3Options options) throws BackupException {
    if (options.credentialsFile().isPresent()) {
      Path file = options.credentialsFile().get();
      try {
        read(file);
      } catch (SdkClientException e) {
        throw new BackupException(Reason.DESTINATION_UNAVAILABLE, e.getMessage());
      }
      return () -> read(file);
    }
    Map<String, String> environment = options.environment();
    String id = environment.getOrDefault("AWS_ACCESS_KEY_ID", "");
    String secret = environment.getOrDefault("AWS_SECRET_ACCESS_KEY", "");
    if (id.isEmpty() || secret.isEmpty()) {
      throw new BackupException(
          Reason.DESTINATION_UNAVAILABLE, "no credentials for object storage: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor a credentials file");
    }
    return StaticCredentialsProvider.create(credentials(id, secret, environment.getOrDefault("AWS_SESSION_TOKEN", "")));
  }

  private static AwsCredentials credentials(String id, String secret, String token) {
    return token.isEmpty() ? AwsBasicCredentials.create(id, secret) : AwsSessionCredentials.create(id, secret, token);
  }

  private static AwsCredentials read(Path file) {
    Map<String, String> properties;
    try {
      properties =
          ProfileFile.builder().content(Files.newInputStream(file)).type(ProfileFile.Type.CREDENTIALS).build().profile(SECTION).orElseThrow().properties();
      return credentials(
          properties.get("aws_access_key_id"), properties.get("aws_secret_access_key"), properties.getOrDefault("aws_session_token", ""));
    } catch (Exception e) {
      // Its message may quote the file.
      throw SdkClientException.create(
          "credentials file " + file + ": cannot be read, or has no aws_access_key_id and aws_secret_access_key in its section [" + SECTION + "]");
    }
  }
}
