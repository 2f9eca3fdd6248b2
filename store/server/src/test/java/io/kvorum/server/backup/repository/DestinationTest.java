package io.kvorum.server.backup.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DestinationTest {
  private static final S3Options OPTIONS = S3Options.of(Map.of("AWS_ACCESS_KEY_ID", "a", "AWS_SECRET_ACCESS_KEY", "b"));

  @ParameterizedTest
  @CsvSource({
    "/var/backups, file:///var/backups/backups/a.json",
    "file:///var/backups/, file:///var/backups/backups/a.json",
    "s3://bucket, s3://bucket/backups/a.json",
    "s3://bucket/, s3://bucket/backups/a.json",
    "s3://bucket.name/a/b/, s3://bucket.name/a/b/backups/a.json",
    "gs://bucket_1/a, gs://bucket_1/a/backups/a.json"
  })
  void places_are_parsed(String location, String uri) throws IOException {
    try (ObjectStore store = Destination.parse(location, OPTIONS)) {
      assertThat(store.uri("backups/a.json")).isEqualTo(uri);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "folder", "file://folder/a", "file:folder", "s3://", "s3:///a", "s3://b/c", "s3://bucket/a//b", "s3://bucket/a%20b", "s3://id:secret@bucket/a", "s3://bucket/a?x=1",
        "https://bucket/a", "s3://bucket:80/a"
      })
  void what_is_no_place_is_refused(String location) {
    assertThatThrownBy(() -> Destination.parse(location, OPTIONS)).isInstanceOf(IllegalArgumentException.class).hasMessageNotContaining("secret");
  }

  @Test
  void the_message_says_what_would_be_right() {
    assertThatThrownBy(() -> Destination.parse("ftp://a/b", OPTIONS)).hasMessageContaining("s3://bucket/prefix");
  }
}
