package io.kvorum.raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** One scenario a file; {@code -Draft.scripts.rewrite=DIRECTORY} writes the answers that were given there, to be reviewed. */
class ScriptTest {
  @TestFactory
  Stream<DynamicTest> scripts() throws IOException, URISyntaxException {
    Path directory = Path.of(ScriptTest.class.getResource("scripts").toURI());
    List<Path> files;
    try (Stream<Path> found = Files.list(directory)) {
      files = found.sorted().toList();
    }
    assertThat(files).hasSizeGreaterThan(30);
    return files.stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> check(file)));
  }

  private static void check(Path file) throws IOException {
    List<String> given = Files.readAllLines(file);
    List<String> actual = new Script(Rules.RAFT).run(given);
    String rewrite = System.getProperty("raft.scripts.rewrite");
    if (rewrite != null) {
      Files.write(Path.of(rewrite).resolve(file.getFileName()), actual);
    }
    assertThat(actual).isEqualTo(given);
  }
}
