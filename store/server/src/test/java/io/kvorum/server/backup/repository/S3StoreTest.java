package io.kvorum.server.backup.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.server.backup.repository.BackupException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class S3StoreTest extends ObjectStoreContract {
  private static final Map<String, String> CREDENTIALS = Map.of("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI");

  @TempDir Path folder;
  private BucketServer server;

  @BeforeEach
  void begin() throws IOException {
    server = new BucketServer();
  }

  @AfterEach
  void end() {
    server.close();
  }

  private S3Options options() {
    return new S3Options(Optional.of(server.endpoint()), Optional.empty(), true, Optional.empty(), Optional.empty(), CREDENTIALS);
  }

  @Override
  S3Store store() throws IOException {
    return new S3Store(S3Clients.create(options(), false, Duration.ofMillis(1)), "s3", "bucket", "a/b/", PART_BYTES, nanos -> {});
  }

  @Test
  void parts_carry_their_digest_and_one_is_enough_for_small_objects() throws IOException {
    try (ObjectStore store = store()) {
      store.put("log/a", Content.of(new byte[PART_BYTES]));
      assertThat(server.requests).containsExactly("PUT /bucket/a/b/log/a");
      server.requests.clear();
      store.put("log/a", Content.of(new byte[PART_BYTES + 1]));
      assertThat(server.requests)
          .containsExactly(
              "POST /bucket/a/b/log/a?uploads",
              "PUT /bucket/a/b/log/a?partNumber=1&uploadId=upload0",
              "PUT /bucket/a/b/log/a?partNumber=2&uploadId=upload0",
              "POST /bucket/a/b/log/a?uploadId=upload0");
    }
  }

  @Test
  void failures_of_the_server_are_ridden_out() throws IOException {
    try (ObjectStore store = store()) {
      server.faults = 2;
      store.put("log/a", Content.of(Backups.bytes(1, 2 * PART_BYTES)));
      server.faults = 2;
      assertThat(store.find("log/a")).isPresent();
      server.faults = 1;
      assertThat(content(store, "log/a")).isEqualTo(Backups.bytes(1, 2 * PART_BYTES));
      server.faults = 1;
      assertThat(store.list("log/")).hasSize(1);
    }
  }

  @Test
  void a_server_that_keeps_failing_is_given_up_and_its_words_are_not_repeated() throws IOException {
    try (ObjectStore store = store()) {
      server.faults = 1000;
      assertReason(Reason.DESTINATION_UNAVAILABLE, () -> store.put("log/a", Content.of(new byte[10])));
      assertThat(server.requests).hasSize(S3Clients.ATTEMPTS_MAX);

      server.faultStatus = 403;
      assertThatThrownBy(() -> store.put("log/a", Content.of(new byte[10])))
          .hasMessage("s3://bucket/a/b/log/a: write: 403 SlowDown (request request-7)")
          .hasNoCause();
    }
  }

  @Test
  void a_server_that_is_not_there_is_said_to_be_so() throws IOException {
    try (ObjectStore store = store()) {
      server.close();
      assertReason(Reason.DESTINATION_UNAVAILABLE, () -> store.list(""));
      assertThatThrownBy(() -> store.find("log/a")).hasMessage("s3://bucket/a/b/log/a: find: ConnectException: Connection refused");
    }
  }

  @Test
  void a_download_that_breaks_off_goes_on_where_it_was() throws IOException {
    byte[] bytes = Backups.bytes(1, 1_000_000);
    try (ObjectStore store = store()) {
      store.put("log/a", Content.of(bytes));
      server.cuts = 3;
      server.requests.clear();
      assertThat(content(store, "log/a")).isEqualTo(bytes);
      assertThat(server.requests).hasSize(4);
    }
  }

  @Test
  void a_download_whose_object_changes_or_that_always_breaks_is_given_up() throws IOException {
    try (ObjectStore store = store()) {
      // More than any buffer on the way.
      store.put("log/a", Content.of(Backups.bytes(1, 1_000_000)));
      server.cuts = 1;
      InputStream in = store.open("log/a");
      server.replace("a/b/log/a", Backups.bytes(2, 1_000_000));
      assertReason(Reason.DESTINATION_UNAVAILABLE, in::readAllBytes);
      in.close();

      server.cuts = 1000;
      assertReason(Reason.DESTINATION_UNAVAILABLE, () -> content(store, "log/a"));
    }
  }

  @Test
  void interrupted_writes_are_removed_when_they_are_old() throws IOException {
    try (S3Store store = store()) {
      S3Clients.create(options(), false, Duration.ofMillis(1)).createMultipartUpload(request -> request.bucket("bucket").key("a/b/log/a"));
      assertThat(store.removePartial(Instant.now().minus(Duration.ofHours(1)))).isZero();
      assertThat(store.removePartial(Instant.now().plus(Duration.ofHours(1)))).isEqualTo(1);
      assertThat(store.removePartial(Instant.now().plus(Duration.ofHours(1)))).isZero();

      server.faults = 1;
      server.faultStatus = 501;
      assertThat(store.removePartial(Instant.now())).isZero();
    }
  }

  @Test
  void credentials_come_from_a_file_that_may_be_exchanged() throws IOException {
    Path file = folder.resolve("credentials");
    Files.writeString(file, "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = secret1\naws_session_token = token1\n");
    S3Options options =
        new S3Options(Optional.of(server.endpoint()), Optional.of("eu-x"), true, Optional.empty(), Optional.of(file), Map.of());
    try (ObjectStore store = Destination.parse("s3://bucket/a/b", options)) {
      store.put("log/a", Content.of(new byte[10]));
      Files.writeString(file, "half a file that somebody is writing: hunter2");
      assertThatThrownBy(() -> store.find("log/a")).isInstanceOf(BackupException.class).hasMessageContaining("credentials file").hasMessageNotContaining("hunter2");
      Files.writeString(file, "[default]\naws_access_key_id = AKIDFILE2\naws_secret_access_key = secret2\n");
      assertThat(store.find("log/a")).isPresent();
    }
    Files.writeString(file, "[other]\naws_access_key_id = AKIDFILE\naws_secret_access_key = secret1\n");
    assertReason(Reason.DESTINATION_UNAVAILABLE, () -> Destination.parse("s3://bucket/a/b", options));
    assertReason(Reason.DESTINATION_UNAVAILABLE, () -> Destination.parse("s3://bucket/a/b", S3Options.of(Map.of("AWS_ACCESS_KEY_ID", "a"))));
    assertThat(options().toString()).doesNotContain("wJalrXUtnFEMI").doesNotContain("AKIDEXAMPLE");
  }

  @Test
  void a_repository_lives_in_a_bucket() throws IOException {
    Optional<EncryptionKey> key = Optional.of(Backups.key(1));
    Settings settings = Settings.of(RateLimit.NONE);
    try (Repository repository = Repository.openOrCreate(store(), key, settings)) {
      BackupManifest full = Backups.full(repository, "f1", 1, 1, 2);
      PublishedBackup published = repository.publish(full);
      repository.publish(Backups.delta(repository, "d1", new Chain(List.of(published))));
    }
    try (Repository repository = Repository.open(store(), key, settings)) {
      assertThat(repository.backups().backups()).extracting(PublishedBackup::id).containsExactly("f1", "d1");
      assertThat(repository.delete("f1", true)).containsExactly("d1", "f1");
      assertThat(repository.collect(Duration.ofHours(1)).objects()).isZero();
      // The server's times have whole seconds; a minute ahead everything is old.
      assertThat(repository.collect(Duration.ofMinutes(-1)).objects()).isEqualTo(4);
    }
  }
}
