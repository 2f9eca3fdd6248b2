package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A serving member generates no code of its own at run time, and runs no compiler: it could be built as a native executable. What the language links when it is first
 * used (lambdas, switches over types, concatenations, method handles, the C function that allocates files) and the proxies by which annotations are read are known to
 * such a build and are let pass.
 */
class ClassLoadIT {
  private static final Pattern LINE = Pattern.compile("\\] (\\S+) source: (.*)$");
  private static final Pattern FROM_FILES = Pattern.compile("(shared objects file|file:|jrt:).*");
  private static final Pattern LINKED_BY_THE_LANGUAGE =
      Pattern.compile("java\\.lang\\.invoke\\..*|.*\\$\\$(Lambda|TypeSwitch|StringConcat)/.*|jdk\\.internal\\.foreign\\.abi\\..*|(.*\\.)?\\$Proxy\\d+");

  @TempDir Path temp;

  @Test
  void a_serving_member_generates_no_classes_and_runs_no_compiler() throws Exception {
    Path log = temp.resolve("classes.log");
    try (Processes processes = new Processes(temp, 1)) {
      processes.startWith("-Xlog:class+load=info:file=" + log, 0);
      processes.awaitReady(0);
      for (int i = 0; i < 100; i++) {
        processes.kv(0).put(PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("k" + i)).setValue(ByteString.copyFrom(new byte[10_000])).build());
      }
      assertThat(processes.kv(0).range(RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("k1")).build()).getCount()).isEqualTo(1);
      processes.stop(0);
    }
    List<String> generated = new ArrayList<>();
    int loaded = 0;
    for (String line : Files.readAllLines(log)) {
      Matcher matcher = LINE.matcher(line);
      if (matcher.find()) {
        loaded++;
        String name = matcher.group(1);
        // Looking for the compiler is harmless; running it is what must not happen.
        assertThat(name).isNotEqualTo("com.sun.tools.javac.main.JavaCompiler");
        // The client of object storage is for the commands that need it.
        assertThat(name).doesNotStartWith("software.amazon.");
        if (!FROM_FILES.matcher(matcher.group(2)).matches() && !LINKED_BY_THE_LANGUAGE.matcher(name).matches()) {
          generated.add(line);
        }
      }
    }
    assertThat(loaded).isGreaterThan(3_000);
    assertThat(generated).isEmpty();
  }
}
