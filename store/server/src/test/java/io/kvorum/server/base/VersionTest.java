package io.kvorum.server.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class VersionTest {
  @Test
  void theBuildStampsVersionAndFeatureLevel() {
    assertThat(Version.kvorum()).matches("\\d+\\.\\d+\\.\\d+.*");
    assertThat(FeatureLevel.SUPPORTED).isGreaterThanOrEqualTo(FeatureLevel.FIRST);
  }

  @Test
  void aStampIsTwoLines() {
    assertThat(Version.Stamp.of(List.of("0.2.0 ", "2"))).isEqualTo(new Version.Stamp("0.2.0", 2));
  }
}
