package io.kvorum.operator.runtime.local;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** Claims as folders: {@code <member>/claim.json} says what was asked for, {@code <member>/data} is the volume. One that is kept moves to {@code retained/}. */
final class Claims {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String FILE = "claim.json";
  private static final String DATA = "data";
  private static final String COPY = "-copy";

  private final Path folder;
  private final Path retained;

  /** @param lost the volume is gone though the claim is there */
  record Claim(String member, String uid, long bytes, boolean lost) {}

  private record Asked(String uid, long bytes) {}

  Claims(Path root) throws IOException {
    this.folder = Files.createDirectories(root.resolve("claims"));
    this.retained = root.resolve("retained");
  }

  List<Claim> all() throws IOException {
    List<Claim> claims = new ArrayList<>();
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry : entries.filter(path -> Files.exists(path.resolve(FILE))).sorted().toList()) {
        Asked asked = JSON.readValue(entry.resolve(FILE).toFile(), Asked.class);
        claims.add(new Claim(entry.getFileName().toString(), asked.uid(), asked.bytes(), isLost(entry.getFileName().toString())));
      }
    }
    return claims;
  }

  /** Makes a claim with an empty volume; one that is there stays as it is, also when its volume is lost. */
  void create(String member, long bytes) throws IOException {
    Path claim = folder.resolve(member);
    if (Files.exists(claim.resolve(FILE))) {
      return;
    }
    Files.createDirectories(claim.resolve(DATA));
    write(claim, new Asked(UUID.randomUUID().toString(), bytes));
  }

  void grow(String member, long bytes) throws IOException {
    Path claim = folder.resolve(member);
    Asked asked = JSON.readValue(claim.resolve(FILE).toFile(), Asked.class);
    if (bytes > asked.bytes()) {
      write(claim, new Asked(asked.uid(), bytes));
    }
  }

  /** Ends a claim: its volume is deleted, or moved out of every later member's reach under the old member's id. */
  void end(String member, boolean keep, String memberId) throws IOException {
    Path claim = folder.resolve(member);
    if (!Files.exists(claim)) {
      return;
    }
    if (keep) {
      Files.createDirectories(retained);
      Files.move(claim, retained.resolve(member + (memberId.isEmpty() ? "" : "-" + memberId)), StandardCopyOption.ATOMIC_MOVE);
    } else {
      deleteAll(claim);
    }
  }

  /** Whether a member's volume is not there. */
  boolean isLost(String member) {
    return !Files.isDirectory(folder.resolve(member).resolve(DATA));
  }

  boolean isCopied(String member) {
    return Files.exists(retained.resolve(member + COPY));
  }

  /** Keeps a copy of a volume whose process is not running. A copy that is there is not made again; a half-made one is replaced. */
  void copy(String member) throws IOException {
    Path target = retained.resolve(member + COPY);
    if (Files.exists(target)) {
      return;
    }
    Path half = retained.resolve(member + COPY + ".partial");
    deleteAll(half);
    Files.createDirectories(half);
    Path source = folder.resolve(member).resolve(DATA);
    try (Stream<Path> all = Files.walk(source)) {
      for (Path path : all.toList()) {
        Path to = half.resolve(source.relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(to);
        } else {
          Files.copy(path, to, StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
    Files.move(half, target, StandardCopyOption.ATOMIC_MOVE);
  }

  private static void write(Path claim, Asked asked) throws IOException {
    Processes.replace(claim.resolve(FILE), JSON.writeValueAsString(asked));
  }

  static void deleteAll(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, IOException failure) throws IOException {
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
