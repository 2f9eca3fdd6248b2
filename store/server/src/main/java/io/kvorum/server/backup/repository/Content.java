package io.kvorum.server.backup.repository;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Bytes to be written, which can be read from their beginning again when a write has to be repeated. */
public interface Content {
  /** How many bytes {@link #open} gives. */
  long bytes();

  InputStream open() throws IOException;

  static Content of(byte[] bytes) {
    return new Content() {
      @Override
      public long bytes() {
        return bytes.length;
      }

      @Override
      public InputStream open() {
        return new ByteArrayInputStream(bytes);
      }
    };
  }

  /** The file must not change until it is written. */
  static Content of(Path file) throws IOException {
    long bytes = Files.size(file);
    return new Content() {
      @Override
      public long bytes() {
        return bytes;
      }

      @Override
      public InputStream open() throws IOException {
        return Files.newInputStream(file);
      }
    };
  }
}
