package io.kvorum.server.backup.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.server.backup.repository.BackupException.Reason;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * The same on a real server, which {@code e2e/backup/s3.sh} starts; {@code e2e/ci backup} runs it. It takes {@code S3_ENDPOINT}, {@code S3_BUCKET}, the credentials and perhaps {@code
 * S3_CA_FILE} from the environment. Its name keeps it out of the ordinary build.
 */
class S3StoreCheck extends ObjectStoreContract {
  private final String prefix = "check/" + UUID.randomUUID();

  private static String environment(String name) {
    return Optional.ofNullable(System.getenv(name)).orElseThrow(() -> new IllegalStateException(name + " is not set; see e2e/backup/s3.sh"));
  }

  private static S3Options options(Map<String, String> changes) {
    Map<String, String> environment = new HashMap<>(System.getenv());
    environment.putAll(changes);
    Optional<Path> caFile = Optional.ofNullable(System.getenv("S3_CA_FILE")).map(Path::of);
    return new S3Options(Optional.of(URI.create(environment("S3_ENDPOINT"))), Optional.empty(), true, caFile, Optional.empty(), environment);
  }

  private ObjectStore store(String bucket, Map<String, String> changes) throws IOException {
    return new S3Store(S3Clients.create(options(changes), false, S3Clients.BACKOFF_MIN), "s3", bucket, prefix + "/", PART_BYTES, RateLimit.Sleeper.SYSTEM);
  }

  @Override
  ObjectStore store() throws IOException {
    return store(environment("S3_BUCKET"), Map.of());
  }

  @Test
  void a_wrong_secret_a_wrong_name_and_a_missing_bucket_are_told_apart() throws IOException {
    try (ObjectStore secret = store(environment("S3_BUCKET"), Map.of("AWS_SECRET_ACCESS_KEY", "wrong"));
        ObjectStore id = store(environment("S3_BUCKET"), Map.of("AWS_ACCESS_KEY_ID", "nobody"));
        ObjectStore missing = store("no-such-bucket", Map.of())) {
      assertReason(Reason.DESTINATION_UNAVAILABLE, () -> secret.list(""));
      assertThatThrownBy(() -> secret.list("")).hasMessageContaining("403 SignatureDoesNotMatch").hasMessageNotContaining(environment("AWS_ACCESS_KEY_ID"));
      assertReason(Reason.DESTINATION_UNAVAILABLE, () -> id.put("a", Content.of(new byte[1])));
      assertThatThrownBy(() -> id.put("a", Content.of(new byte[1]))).hasMessageNotContaining("nobody");
      assertReason(Reason.DESTINATION_UNAVAILABLE, () -> missing.open("a"));
      assertThatThrownBy(() -> missing.open("a")).hasMessageContaining("404 NoSuchBucket");
    }
  }

  @Test
  void lists_have_more_than_a_page() throws IOException {
    try (ObjectStore store = store()) {
      for (int i = 0; i < 1010; i++) {
        store.put("log/" + i, Content.of(new byte[] {1}));
      }
      assertThat(store.list("log/")).hasSize(1010);
    }
  }

  @Test
  void interrupted_writes_are_removed() throws IOException {
    try (ObjectStore store = store()) {
      S3Clients.create(options(Map.of()), false, S3Clients.BACKOFF_MIN)
          .createMultipartUpload(request -> request.bucket(environment("S3_BUCKET")).key(prefix + "/log/a"));
      assertThat(store.removePartial(Instant.now().minus(Duration.ofHours(1)))).isZero();
      assertThat(store.removePartial(Instant.now().plus(Duration.ofHours(1)))).isEqualTo(1);
      assertThat(store.removePartial(Instant.now().plus(Duration.ofHours(1)))).isZero();
    }
  }

  @Test
  void an_encrypted_repository_is_written_read_and_emptied() throws IOException {
    Optional<EncryptionKey> key = Optional.of(Backups.key(1));
    byte[] segment = Backups.bytes(7, 20 << 20);
    String location = "s3://" + environment("S3_BUCKET") + "/" + prefix;
    String hex;
    try (Repository repository = Repository.openOrCreate(Destination.parse(location, options(Map.of())), key, Settings.of(RateLimit.NONE))) {
      hex = repository.put(Kind.SEGMENT, Content.of(segment)).hex();
      assertThat(repository.put(Kind.SEGMENT, Content.of(segment)).sentBytes()).isZero();
      PublishedBackup published = repository.publish(Backups.full(repository, "f1", 1, 1, 2));
      repository.publish(Backups.delta(repository, "d1", new Chain(List.of(published))));
    }
    try (Repository repository = Repository.open(Destination.parse(location, options(Map.of())), key, Settings.of(RateLimit.NONE))) {
      assertThat(Backups.content(repository, Kind.SEGMENT, hex)).isEqualTo(segment);
      assertThat(repository.backups().backups()).extracting(PublishedBackup::id).containsExactly("f1", "d1");
      repository.delete("f1", true);
      // The server's times have whole seconds; a minute ahead everything is old.
      assertThat(repository.collect(Duration.ofMinutes(-1)).objects()).isEqualTo(5);
    }
  }
}
