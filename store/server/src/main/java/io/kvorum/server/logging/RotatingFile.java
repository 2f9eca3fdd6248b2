package io.kvorum.server.logging;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

/**
 * A log file that is set aside when it is full, as etcd's: {@code etcd.log} becomes {@code etcd-2026-01-31T23-59-59.000.log}, with {@code .gz} when it is compressed. Each write
 * is one line and never split. One thread at a time; compression and deletion are done on the thread that rotates, so lines wait for them.
 */
final class RotatingFile extends OutputStream {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH-mm-ss.SSS");
  private static final String COMPRESSED = ".gz";

  private final Path file;
  private final Rotation rotation;
  private final Clock clock;
  private OutputStream out;
  private long bytes;

  RotatingFile(Path file, Rotation rotation, Clock clock) throws IOException {
    this.file = file.toAbsolutePath().normalize();
    this.rotation = rotation;
    this.clock = clock;
    Files.createDirectories(this.file.getParent());
    open();
  }

  private void open() throws IOException {
    out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    bytes = Files.size(file);
  }

  @Override
  public void write(int oneByte) throws IOException {
    write(new byte[] {(byte) oneByte});
  }

  @Override
  public void write(byte[] from, int offset, int length) throws IOException {
    if (bytes > 0 && bytes + length > rotation.maxBytes()) {
      rotate();
    }
    out.write(from, offset, length);
    bytes += length;
  }

  private void rotate() throws IOException {
    out.close();
    try {
      Files.move(file, free(clock.instant()), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      open();
    }
    try {
      tidy();
    } catch (IOException later) {
      // The line that is being written matters more; the next rotation tries again.
      return;
    }
  }

  /** A name that is not taken: of this millisecond, or the next free one. */
  private Path free(Instant from) {
    Instant time = from;
    while (true) {
      Path backup = file.resolveSibling(prefix() + TIME.format(LocalDateTime.ofInstant(time, zone())) + extension());
      if (!Files.exists(backup) && !Files.exists(Path.of(backup + COMPRESSED))) {
        return backup;
      }
      time = time.plusMillis(1);
    }
  }

  private ZoneId zone() {
    return rotation.localTime() ? clock.getZone() : ZoneOffset.UTC;
  }

  private String prefix() {
    String name = file.getFileName().toString();
    return name.substring(0, name.length() - extension().length()) + "-";
  }

  private String extension() {
    String name = file.getFileName().toString();
    int dot = name.lastIndexOf('.');
    return dot < 0 ? "" : name.substring(dot);
  }

  /** Deletes what is too old or too much, compresses the rest if wanted. */
  private void tidy() throws IOException {
    List<Backup> backups = backups();
    Instant oldest = clock.instant().minus(rotation.maxAgeDays(), ChronoUnit.DAYS);
    for (int i = 0; i < backups.size(); i++) {
      Backup backup = backups.get(i);
      boolean tooMany = rotation.maxBackups() > 0 && i >= rotation.maxBackups();
      boolean tooOld = rotation.maxAgeDays() > 0 && backup.time.isBefore(oldest);
      if (tooMany || tooOld) {
        Files.delete(backup.path);
      } else if (rotation.compress() && !backup.path.toString().endsWith(COMPRESSED)) {
        compress(backup.path);
      }
    }
  }

  private record Backup(Path path, Instant time) {}

  /** Files set aside, newest first. */
  private List<Backup> backups() throws IOException {
    List<Backup> backups = new ArrayList<>();
    try (Stream<Path> siblings = Files.list(file.getParent())) {
      for (Path sibling : siblings.toList()) {
        Instant time = time(sibling.getFileName().toString());
        if (time != null) {
          backups.add(new Backup(sibling, time));
        }
      }
    }
    backups.sort(Collections.reverseOrder(java.util.Comparator.comparing(Backup::time)));
    return backups;
  }

  /** When a file of this name was set aside; null for other files. */
  private Instant time(String name) {
    String plain = name.endsWith(COMPRESSED) ? name.substring(0, name.length() - COMPRESSED.length()) : name;
    if (!plain.startsWith(prefix()) || !plain.endsWith(extension()) || plain.length() < prefix().length() + extension().length()) {
      return null;
    }
    try {
      return LocalDateTime.parse(plain.substring(prefix().length(), plain.length() - extension().length()), TIME).atZone(zone()).toInstant();
    } catch (DateTimeParseException other) {
      return null;
    }
  }

  private static void compress(Path file) throws IOException {
    Path target = Path.of(file + COMPRESSED);
    try (OutputStream packed = new GZIPOutputStream(Files.newOutputStream(target))) {
      Files.copy(file, packed);
    }
    Files.delete(file);
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
