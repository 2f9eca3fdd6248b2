package io.kvorum.operator.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The bundle for {@code kubectl apply} begins with the definitions as they are in crds/; {@code -Dkvorum.crds.write=true} puts them in. The rest of it comes from the
 * chart, which charts/check.sh compares.
 */
class BundleTest {
  private static final Path BUNDLE = Path.of("../charts/bundle.yaml");
  private static final String END = "# End of the definitions.\n";

  @Test
  void theBundleHasTheDefinitions() throws IOException {
    String bundle = Files.readString(BUNDLE);
    String first = bundle.substring(0, bundle.indexOf('\n') + 1);
    String definitions = definitions();
    if (Boolean.getBoolean("kvorum.crds.write")) {
      bundle = first + definitions + bundle.substring(bundle.indexOf(END));
      Files.writeString(BUNDLE, bundle);
    }

    assertThat(bundle.substring(first.length(), bundle.indexOf(END))).isEqualTo(definitions);
  }

  private static String definitions() throws IOException {
    StringBuilder text = new StringBuilder();
    try (Stream<Path> files = Files.list(Path.of("../crds"))) {
      List<Path> sorted = files.sorted().toList();
      for (Path file : sorted) {
        text.append(Files.readString(file));
      }
    }
    return text.toString();
  }
}
