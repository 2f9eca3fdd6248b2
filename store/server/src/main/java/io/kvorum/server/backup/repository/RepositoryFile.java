package io.kvorum.server.backup.repository;

import com.google.gson.JsonObject;
import io.kvorum.server.backup.repository.BackupException.Reason;
import io.kvorum.server.backup.repository.JsonFields.MalformedException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;

/**
 * {@code repository.json}: what the place is.
 *
 * @param id 32 hexadecimal digits, random
 * @param keyCheck in encrypted repositories, what their key makes of the id
 */
record RepositoryFile(String id, Instant createdAt, Optional<String> keyCheck) {
  static final String NAME = "repository.json";
  static final int BYTES_MAX = 64 << 10;

  private static final int FORMAT_VERSION = 1;
  private static final int ID_BYTES = 16;

  static RepositoryFile create(Optional<EncryptionKey> key, SecureRandom random, Instant now) {
    byte[] bytes = new byte[ID_BYTES];
    random.nextBytes(bytes);
    String id = HexFormat.of().formatHex(bytes);
    return new RepositoryFile(id, now, key.map(k -> HexFormat.of().formatHex(k.check(id))));
  }

  byte[] encode() {
    JsonObject json = new JsonObject();
    json.addProperty("formatVersion", FORMAT_VERSION);
    json.addProperty("id", id);
    json.addProperty("createdAt", createdAt.toString());
    json.addProperty("encrypted", keyCheck.isPresent());
    keyCheck.ifPresent(check -> json.addProperty("keyCheck", check));
    return json.toString().getBytes(StandardCharsets.UTF_8);
  }

  static RepositoryFile decode(byte[] document) throws BackupException {
    try {
      JsonFields json = JsonFields.parse(document);
      int version = json.smallNumber("formatVersion");
      if (version != FORMAT_VERSION) {
        throw new BackupException(Reason.FAILED, NAME + ": format version " + version + ", this program knows " + FORMAT_VERSION);
      }
      String id = json.text("id");
      Instant createdAt = json.time("createdAt");
      Optional<String> keyCheck = json.flag("encrypted") ? Optional.of(json.hex("keyCheck")) : Optional.empty();
      json.end();
      return new RepositoryFile(id, createdAt, keyCheck);
    } catch (MalformedException e) {
      throw new ContentCorruptException(NAME, e.getMessage());
    }
  }

  /**
   * The key is this repository's, or neither has one.
   *
   * @throws BackupException {@code WRONG_KEY}
   */
  void check(Optional<EncryptionKey> key) throws BackupException {
    if (keyCheck.isPresent() != key.isPresent()) {
      throw new BackupException(
          Reason.WRONG_KEY, keyCheck.isPresent() ? "the repository is encrypted, and no key is given" : "the repository is not encrypted, and a key is given");
    }
    if (key.isPresent() && !MessageDigest.isEqual(key.get().check(id), HexFormat.of().parseHex(keyCheck.orElseThrow()))) {
      throw new BackupException(Reason.WRONG_KEY, "the encryption key is not this repository's");
    }
  }
}
