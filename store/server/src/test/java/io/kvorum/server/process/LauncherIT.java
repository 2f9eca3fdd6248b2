package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launchers and the exit codes, with the laid out distribution. */
class LauncherIT {
  private static final long DEADLINE_SECONDS = 60;

  @TempDir Path temp;

  private record Outcome(int exitCode, String output) {}

  private Outcome run(String... command) throws IOException, InterruptedException {
    Path output = temp.resolve("out.txt");
    Process process = Processes.command(output, command).start();
    assertThat(process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)).isTrue();
    return new Outcome(process.exitValue(), Files.readString(output));
  }

  private static String program(String name) {
    return Processes.DIST.resolve("bin").resolve(name).toString();
  }

  @Test
  void both_names_tell_etcds_version_first() throws Exception {
    for (String name : new String[] {"kvorum", "etcd"}) {
      Outcome outcome = run(program(name), "--version");
      assertThat(outcome.exitCode).isZero();
      assertThat(outcome.output).startsWith("etcd Version: 3.6.16\nGit SHA: ").contains("\nKvorum Version: 0.");
    }
  }

  @Test
  void exit_codes_are_etcds() throws Exception {
    Outcome unknown = run(program("etcd"), "--no-such-flag");
    assertThat(unknown.exitCode).isEqualTo(2);
    assertThat(unknown.output).contains("flag provided but not defined: -no-such-flag", "Usage:");
    Outcome missing = run(program("etcd"), "--listen-client-urls=http://127.0.0.1:1");
    assertThat(missing.exitCode).isEqualTo(1);
    assertThat(missing.output).contains("--advertise-client-urls is required when --listen-client-urls is set explicitly");
    assertThat(run(program("etcd"), "-h").exitCode).isZero();
    Outcome verb = run(program("kvorum"), "nonsense");
    assertThat(verb.exitCode).isEqualTo(1);
    assertThat(verb.output).contains("\"nonsense\" is neither a flag nor a verb");
  }

  @Test
  void the_process_is_the_server_and_bears_the_name_that_was_called() throws Exception {
    Path link = Files.createSymbolicLink(temp.resolve("etcd"), Path.of(program("etcd")));
    try (Processes processes = new Processes(temp, 1)) {
      Process process = processes.start(link, 0);
      processes.awaitReady(0);
      String[] words = Files.readString(Path.of("/proc/" + process.pid() + "/cmdline")).split("\0");
      assertThat(words[0]).isEqualTo(link.toString());
      assertThat(Files.readString(processes.log(0))).contains("\"pid\":" + process.pid());
    }
  }

  @Test
  void called_through_the_path_its_command_line_begins_with_the_bare_name() throws Exception {
    Path bin = Files.createDirectory(temp.resolve("bin"));
    Files.createSymbolicLink(bin.resolve("etcd"), Path.of(program("etcd")));
    try (Processes processes = new Processes(temp, 1)) {
      Path shell = temp.resolve("through-path");
      Files.writeString(shell, "#!/bin/sh\nPATH=" + bin + ":$PATH exec etcd \"$@\"\n");
      assertThat(shell.toFile().setExecutable(true)).isTrue();
      Process process = processes.start(shell, 0);
      processes.awaitReady(0);
      assertThat(Files.readString(Path.of("/proc/" + process.pid() + "/cmdline")).split("\0")[0]).isEqualTo("etcd");
    }
  }

  @Test
  void without_a_recent_java_one_line_says_what_to_install() throws Exception {
    Path bin = Files.createDirectories(temp.resolve("dist/bin"));
    Path lib = Files.createDirectories(temp.resolve("dist/lib"));
    Files.writeString(lib.resolve("kvorum.jar"), "");
    Path launcher = bin.resolve("kvorum");
    Files.writeString(launcher, Files.readString(Path.of(program("kvorum"))).replace("MIN_JDK=25", "MIN_JDK=99"));
    assertThat(launcher.toFile().setExecutable(true)).isTrue();
    Outcome outcome = run(launcher.toString(), "--version");
    assertThat(outcome.exitCode).isEqualTo(1);
    assertThat(outcome.output.lines()).hasSize(1);
    assertThat(outcome.output).startsWith("kvorum: no Java runtime >= 99 found").contains("install a JDK 99");
  }

  @Test
  void a_taken_port_is_one_clear_line_and_exit_code_1() throws Exception {
    try (Processes processes = new Processes(temp, 1)) {
      try (var taken = new java.net.ServerSocket(processes.clientPort(0), 1, java.net.InetAddress.getLoopbackAddress())) {
        Process process = processes.start(0);
        assertThat(process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(1);
        assertThat(Files.readString(processes.log(0)).lines().filter(line -> line.contains("\"level\":\"fatal\"")))
            .singleElement()
            .asString()
            .contains("listen tcp 127.0.0.1:" + taken.getLocalPort() + ": bind: address already in use");
      }
    }
  }
}
