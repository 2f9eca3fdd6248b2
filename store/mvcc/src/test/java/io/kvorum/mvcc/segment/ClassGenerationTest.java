package io.kvorum.mvcc.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.SnapshotFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Everything that a store does with its segments, in a JVM that logs each class: none may come from a compiler or a byte code generator at run time. */
@Timeout(60)
class ClassGenerationTest {
  private static final Pattern LINE = Pattern.compile("\\] (\\S+) source: (.*)");

  /** What the JDK itself makes for lambdas, string concatenation and method handles; a native build knows them all at build time. */
  private static final Pattern FROM_METHOD_HANDLES =
      Pattern.compile("java\\.lang\\.(invoke|String|foreign)\\..*|java\\.lang\\.String\\$\\$StringConcat.*|.*\\$\\$Lambda.*|jdk\\.internal\\.foreign\\..*");

  /** Proxies of annotations and interfaces that libraries look at while they start; listed in store/README.md. */
  private static final Pattern PROXY = Pattern.compile("(com\\.sun|jdk)\\.proxy\\d+\\.\\$Proxy\\d+|.*\\.\\$Proxy\\d+");

  @TempDir Path directory;

  public static final class Child {
    public static void main(String[] arguments) throws Exception {
      Path directory = Path.of(arguments[0]);
      History history = new History(1);
      try (SegmentedRevisionLog log = SegmentedRevisionLog.open(directory.resolve("one"), new MvccOptions(0, true, FailPoint.NONE));
          RevisionLog other = SegmentedRevisionLog.open(directory.resolve("two"), new MvccOptions(0, true, FailPoint.NONE))) {
        history.mixed(log, 2_000, 300);
        log.checkpoint(new RevisionLog.Manifest(1, 1, history.lastMain(), -1, new byte[0]));
        log.rewrite((key, main, sub) -> main % 2 == 0, true).join();
        log.checkpoint(new RevisionLog.Manifest(1, 1, history.lastMain(), -1, new byte[0]));
        log.verify(true);
        Path sent = Files.createDirectories(directory.resolve("sent"));
        try (SnapshotFiles snapshot = log.snapshot()) {
          SnapshotTest.ship(snapshot, other, sent);
        }
        other.install(sent);
      }
      SegmentedRevisionLog.open(directory.resolve("two"), MvccOptions.DEFAULT).close();
      System.out.println("done");
    }
  }

  @Test
  void noClassIsCompiledOrGeneratedAtRunTime() throws Exception {
    Path log = directory.resolve("classes.txt");
    try (ChildJvm child = new ChildJvm(List.of("-Xlog:class+load:file=" + log, "-Xshare:auto"), Child.class, directory.toString())) {
      child.await("done");
      assertThat(child.awaitExit()).isZero();
    }
    List<String> lines = Files.readAllLines(log);
    assertThat(lines).hasSizeGreaterThan(1_000);
    assertThat(lines).noneMatch(line -> line.contains("com.sun.tools.javac.main.JavaCompiler") || line.contains("chronicle.analytics"));
    assertThat(lines).anyMatch(line -> line.contains("VanillaGlobalMutableState$$Native source: file:"));
    List<String> generated = lines.stream().filter(line -> !isExpected(line)).toList();
    assertThat(generated).isEmpty();
  }

  private static boolean isExpected(String line) {
    Matcher matcher = LINE.matcher(line);
    if (!matcher.find()) {
      return true;
    }
    String name = matcher.group(1);
    String source = matcher.group(2);
    if (source.startsWith("jrt:") || source.startsWith("file:") || source.startsWith("shared objects file")) {
      return true;
    }
    if (source.equals("__dynamic_proxy__")) {
      return PROXY.matcher(name).matches();
    }
    return FROM_METHOD_HANDLES.matcher(name).matches();
  }
}
