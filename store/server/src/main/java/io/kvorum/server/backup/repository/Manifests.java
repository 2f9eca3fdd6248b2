package io.kvorum.server.backup.repository;

import io.kvorum.server.backup.repository.BackupException.Reason;
import io.kvorum.server.backup.repository.BackupManifest.LogChunk;
import io.kvorum.server.backup.repository.BackupManifest.Segment;
import io.kvorum.server.backup.repository.JsonFields.MalformedException;
import io.kvorum.server.backup.repository.Repository.Listing;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** The manifests of a repository. With a key, what they say is proven to come from somebody who has it. */
final class Manifests {
  static final String PREFIX = "backups/";

  /** Manifests of deleted backups. */
  static final String DELETED = "deleted/";

  private static final String SUFFIX = ".json";

  /** A million log chunks. */
  private static final int BYTES_MAX = 256 << 20;

  private static final Comparator<PublishedBackup> BY_COMPLETION =
      Comparator.comparing((PublishedBackup backup) -> backup.manifest().completedAt()).thenComparing(PublishedBackup::id);

  private final ObjectStore store;
  private final Optional<EncryptionKey> key;

  /** What was read: a manifest is written once, so an object that looks the same is the same. */
  private final Map<StoredObject, PublishedBackup> read = new HashMap<>();

  Manifests(ObjectStore store, Optional<EncryptionKey> key) {
    this.store = store;
    this.key = key;
  }

  static String object(String id) throws BackupException {
    return PREFIX + file(id);
  }

  static String file(String id) throws BackupException {
    if (!ObjectNames.isBackupId(id)) {
      throw new BackupException(Reason.NOT_FOUND, "a backup's id is 1 to 128 letters, digits and . _ -");
    }
    return id + SUFFIX;
  }

  byte[] encode(BackupManifest manifest) {
    Optional<String> mac = key.map(k -> HexFormat.of().formatHex(k.manifestMac(ManifestJson.encode(manifest, Optional.empty()))));
    return ManifestJson.encode(manifest, mac);
  }

  PublishedBackup require(String id) throws IOException {
    return find(id).orElseThrow(() -> new BackupException(Reason.NOT_FOUND, store.uri(PREFIX + id + SUFFIX) + ": there is no such backup"));
  }

  Optional<PublishedBackup> find(String id) throws IOException {
    String name = object(id);
    Optional<byte[]> document = document(name);
    if (document.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(decode(name, document.get()));
  }

  /** The object's bytes; empty when it is not there. */
  Optional<byte[]> document(String name) throws IOException {
    try (InputStream in = store.open(name)) {
      byte[] document = in.readNBytes(BYTES_MAX + 1);
      if (document.length > BYTES_MAX) {
        throw new ContentCorruptException(name, "larger than " + BYTES_MAX + " bytes");
      }
      return Optional.of(document);
    } catch (BackupException e) {
      if (e.reason() == Reason.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  PublishedBackup decode(String name, byte[] document) throws ContentCorruptException {
    try {
      ManifestJson.Document read = ManifestJson.decode(document);
      if (!name.endsWith("/" + read.manifest().id() + SUFFIX)) {
        throw new ContentCorruptException(name, "the manifest of another backup: " + read.manifest().id());
      }
      if (key.isPresent()) {
        byte[] mac = key.get().manifestMac(ManifestJson.encode(read.manifest(), Optional.empty()));
        if (read.mac().isEmpty() || !MessageDigest.isEqual(mac, HexFormat.of().parseHex(read.mac().get()))) {
          throw new ContentCorruptException(name, "altered, or written without the encryption key");
        }
      }
      return new PublishedBackup(read.manifest(), HexFormat.of().formatHex(DigestStream.sha256().digest(document)), store.uri(name));
    } catch (MalformedException e) {
      throw new ContentCorruptException(name, e.getMessage());
    }
  }

  /** What is published; what goes meanwhile is not there. */
  Listing list() throws IOException {
    List<PublishedBackup> backups = new ArrayList<>();
    Map<String, String> damaged = new TreeMap<>();
    for (StoredObject object : store.list(PREFIX)) {
      if (read.containsKey(object)) {
        backups.add(read.get(object));
        continue;
      }
      String name = object.name();
      Optional<byte[]> document = document(name);
      if (document.isEmpty()) {
        continue;
      }
      try {
        PublishedBackup backup = decode(name, document.get());
        backups.add(backup);
        read.put(object, backup);
      } catch (ContentCorruptException e) {
        damaged.put(name.substring(PREFIX.length(), name.endsWith(SUFFIX) ? name.length() - SUFFIX.length() : name.length()), e.why());
      }
    }
    backups.sort(BY_COMPLETION);
    return new Listing(List.copyOf(backups), damaged);
  }

  /** The objects that a manifest names, with the sizes of their content. */
  static Map<String, Long> sizes(BackupManifest manifest) {
    Map<String, Long> sizes = new LinkedHashMap<>();
    for (Segment segment : manifest.segments()) {
      sizes.put(Kind.SEGMENT.object(segment.hex()), segment.bytes());
    }
    for (LogChunk chunk : manifest.log()) {
      sizes.put(Kind.LOG.object(chunk.hex()), chunk.bytes());
    }
    manifest.state().ifPresent(state -> sizes.put(Kind.STATE.object(state.hex()), state.bytes()));
    return sizes;
  }

  static Set<String> named(List<PublishedBackup> backups) {
    Set<String> names = new HashSet<>();
    backups.forEach(backup -> names.addAll(sizes(backup.manifest()).keySet()));
    return names;
  }

  /** What is in the store of the kinds that the manifest names. */
  Map<String, StoredObject> objects(BackupManifest manifest) throws IOException {
    Map<String, StoredObject> objects = new HashMap<>();
    for (Kind kind : Kind.values()) {
      boolean wanted =
          switch (kind) {
            case SEGMENT -> !manifest.segments().isEmpty();
            case LOG -> !manifest.log().isEmpty();
            case STATE -> manifest.state().isPresent();
          };
      if (wanted) {
        store.list(kind.prefix()).forEach(object -> objects.put(object.name(), object));
      }
    }
    return objects;
  }
}
