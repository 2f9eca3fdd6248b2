package io.kvorum.operator.runtime.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Starts, finds and ends processes. A process is known by its id and its start, so that one started by an earlier run is found and no other is touched. */
final class Processes {

  /** What tells a process from any other. */
  record Identity(long pid, long startedMillis) {}

  /**
   * Starts a program in a session of its own standing, its output appended to a file.
   *
   * @param environment added to this process' own, from which everything that would configure a store is taken away
   */
  Identity start(List<String> command, Map<String, String> environment, Path log) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().keySet().removeIf(name -> name.startsWith("ETCD_"));
    builder.environment().putAll(environment);
    Process process = builder.start();
    return new Identity(process.pid(), startOf(process.toHandle()));
  }

  /** A process of ours that has this argument: one that was started just before an earlier run ended, so that it is in no table. */
  Optional<Identity> find(String argument) {
    return ProcessHandle.allProcesses()
        .filter(handle -> handle.info().arguments().stream().flatMap(Arrays::stream).anyMatch(argument::equals))
        .findFirst()
        .map(handle -> new Identity(handle.pid(), startOf(handle)));
  }

  boolean isAlive(Identity identity) {
    return handle(identity).isPresent();
  }

  /** Asks it to end, which a member answers by handing leadership over first. */
  void terminate(Identity identity) {
    handle(identity).ifPresent(ProcessHandle::destroy);
  }

  void kill(Identity identity) {
    handle(identity).ifPresent(ProcessHandle::destroyForcibly);
  }

  private Optional<ProcessHandle> handle(Identity identity) {
    return identity.pid() == 0
        ? Optional.empty()
        : ProcessHandle.of(identity.pid()).filter(ProcessHandle::isAlive).filter(handle -> startOf(handle) == identity.startedMillis());
  }

  private static long startOf(ProcessHandle handle) {
    return handle.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
  }

  /** Replaces a file as a whole, readable by this user alone: a reader, or the next start after a crash, sees the old text or the new. */
  static void replace(Path file, String text) throws IOException {
    Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
    Files.deleteIfExists(temporary);
    Files.createFile(temporary, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(temporary, text);
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
