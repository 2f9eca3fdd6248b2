package io.kvorum.server.backup.repository;

import io.kvorum.server.backup.repository.BackupException.Reason;
import io.kvorum.server.backup.repository.BackupManifest.Previous;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Backups in an {@link ObjectStore}: content-addressed objects ({@link Kind}) and one manifest for each backup, which is published last.
 *
 * <pre>
 *   repository.json        format version, id, whether encrypted, the check value of the key
 *   segments/HEX log/HEX state/HEX
 *   backups/ID.json        manifests
 *   deleted/ID.json        manifests of deleted backups, for a grace period
 *   damaged/KIND-HEX       objects that were found to be damaged
 * </pre>
 *
 * <p>HEX is the SHA-256 of the content; in encrypted repositories HMAC-SHA-256 of that digest under a key of its own, so that names tell nothing about content.
 *
 * <p><b>No lock.</b> Runs of any number of processes may overlap, and a crash leaves nothing that has to be broken. Objects are written whole under names that only their content decides, so two
 * writers of one name write the same; a manifest is published whole when all that it names is there. What remains is a collection at the same time, and it is kept apart by age, not by a lock:
 *
 * <ol>
 *   <li>a collection removes an object only when no manifest names it, and it was written longer than the grace period ago;
 *   <li>a deleted backup's manifest moves to {@code deleted/} and counts as naming its objects until the grace period is over;
 *   <li>a run that finds an object which no published manifest names relies on it while it is young ({@link #RELY_ON}), and otherwise sends it again; it publishes only while all that it names
 *       is named by others, or younger or not named for less than {@link #PUBLISH_WITHIN}, and looks again after publishing: if something is missing, it takes the manifest back and fails.
 * </ol>
 *
 * <p>So a run has {@link #PUBLISH_WITHIN} from its first object to its manifest, and one that was interrupted goes on without sending anything twice if it is begun again within {@link #RELY_ON}.
 * The one way around the rules is a collection that stands still between looking at an object's age and removing it for as long as a run needs from sending that object again to its end; the
 * second look of 3 covers all of that but the last moment.
 *
 * <p>One thread at a time.
 */
public final class Repository implements AutoCloseable {
  /** How long an object that nothing names is kept. */
  public static final Duration GRACE = Duration.ofHours(24);

  /** Older objects that nothing names are sent again. */
  static final Duration RELY_ON = Duration.ofHours(12);

  /** From the first object that a run sends or relies on; below {@link #GRACE} by as much as clocks may differ. */
  static final Duration PUBLISH_WITHIN = Duration.ofHours(23);

  private final ObjectStore store;
  private final RepositoryFile file;
  private final Optional<EncryptionKey> key;
  private final Settings settings;
  private final Manifests manifests;
  private final Damage damage;

  /** As of the first time that they were asked for; asked for again before publishing. */
  private References references;

  private Repository(ObjectStore store, RepositoryFile file, Optional<EncryptionKey> key, Settings settings) {
    this.store = store;
    this.file = file;
    this.key = key;
    this.settings = settings;
    this.manifests = new Manifests(store, key);
    this.damage = new Damage(store);
  }

  /**
   * A repository that is there.
   *
   * @param store closed with the repository, and when this fails
   * @throws BackupException {@code NOT_FOUND}, {@code WRONG_KEY}, {@code CONTENT_CORRUPT}, {@code DESTINATION_UNAVAILABLE}
   */
  public static Repository open(ObjectStore store, Optional<EncryptionKey> key, Settings settings) throws IOException {
    return opened(
        store,
        () -> {
          RepositoryFile file = require(store);
          file.check(key);
          return new Repository(store, file, key, settings);
        });
  }

  /** As {@link #open}; makes it when there is none. */
  public static Repository openOrCreate(ObjectStore store, Optional<EncryptionKey> key, Settings settings) throws IOException {
    return opened(
        store,
        () -> {
          if (read(store).isEmpty()) {
            if (!store.list(Manifests.PREFIX).isEmpty()) {
              throw new ContentCorruptException(RepositoryFile.NAME, "missing, and there are backups");
            }
            RepositoryFile created = RepositoryFile.create(key, settings.random(), settings.clock().instant());
            store.put(RepositoryFile.NAME, Content.of(created.encode()));
          }
          // Read in any case: another process may have made it at the same time, and the last one stays.
          RepositoryFile file = require(store);
          file.check(key);
          return new Repository(store, file, key, settings);
        });
  }

  /** A repository to list, delete and collect in, which needs no key: content cannot be read or written, and what manifests say is not proven. */
  public static Repository manage(ObjectStore store, Settings settings) throws IOException {
    return opened(store, () -> new Repository(store, require(store), Optional.empty(), settings));
  }

  /** Something that may fail. */
  @FunctionalInterface
  private interface Opening {
    Repository open() throws IOException;
  }

  private static Repository opened(ObjectStore store, Opening opening) throws IOException {
    try {
      return opening.open();
    } catch (IOException | RuntimeException e) {
      store.close();
      throw e;
    }
  }

  private static RepositoryFile require(ObjectStore store) throws IOException {
    return read(store).orElseThrow(() -> new BackupException(Reason.NOT_FOUND, store.uri(RepositoryFile.NAME) + ": there is no repository"));
  }

  private static Optional<RepositoryFile> read(ObjectStore store) throws IOException {
    try (InputStream in = store.open(RepositoryFile.NAME)) {
      return Optional.of(RepositoryFile.decode(in.readNBytes(RepositoryFile.BYTES_MAX)));
    } catch (BackupException e) {
      if (e.reason() == Reason.NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  public boolean encrypted() {
    return file.keyCheck().isPresent();
  }

  /** The name that content with this SHA-256 has here. */
  public String hex(byte[] sha256) throws BackupException {
    file.check(key);
    return HexFormat.of().formatHex(key.isPresent() ? key.get().name(sha256) : sha256);
  }

  /** Whether the object is there and can be relied on, so that it need not be sent. */
  public boolean has(Kind kind, String hex) throws IOException {
    Optional<StoredObject> there = store.find(kind.object(hex));
    return there.isPresent() && isSafe(there.get(), RELY_ON) && !damage.isNoted(kind.object(hex));
  }

  /**
   * What became of content that was to be kept.
   *
   * @param hex the object's name
   * @param bytes of the content
   * @param sentBytes what was sent, with the encryption's frames; 0 when it was there already
   */
  public record Kept(String hex, long bytes, long sentBytes) {}

  /** Keeps content, unless it is there. It is read twice. */
  public Kept put(Kind kind, Content content) throws IOException {
    byte[] sha256 = Outgoing.sha256(content);
    String hex = hex(sha256);
    String name = kind.object(hex);
    long bytes = key.isPresent() ? Frames.stored(content.bytes()) : content.bytes();
    Optional<StoredObject> there = store.find(name);
    if (there.isPresent() && there.get().bytes() == bytes && isSafe(there.get(), RELY_ON) && !damage.isNoted(name)) {
      return new Kept(hex, content.bytes(), 0);
    }
    store.put(name, sealed(new Outgoing(content, sha256, name, settings.limit()), name));
    damage.mended(name);
    return new Kept(hex, content.bytes(), bytes);
  }

  private Content sealed(Content content, String name) {
    if (key.isEmpty()) {
      return content;
    }
    byte[] salt = new byte[Frames.SALT_BYTES];
    settings.random().nextBytes(salt);
    return new SealedContent(content, key.get(), salt, name);
  }

  /** No collection removes it: a published manifest names it, or it is younger than that, or was named until then. */
  private boolean isSafe(StoredObject object, Duration age) throws IOException {
    if (references == null) {
      references = References.read(store, manifests);
    }
    return references.hold(object, settings.clock().instant().minus(age));
  }

  /**
   * Reads content. What was read counts only when the end is reached: then it is known to be what was written. In encrypted repositories each frame is known to be before it is given. Damage that
   * is found is noted, if that is allowed, so that a later backup that needs the content sends it again.
   *
   * @throws ContentCorruptException from any read, when it is not
   * @throws BackupException {@code NOT_FOUND}
   */
  public InputStream read(Kind kind, String hex) throws IOException {
    file.check(key);
    String name = kind.object(hex);
    InputStream stored = settings.limit().limit(store.open(name));
    try {
      InputStream plain = key.isPresent() ? new OpeningStream(stored, key.get(), name, damage) : stored;
      return new DigestStream(
          plain,
          sha256 -> {
            if (!hex(sha256).equals(hex)) {
              throw noted(name, "cut off, altered, or another object's content");
            }
          });
    } catch (IOException e) {
      stored.close();
      throw e;
    }
  }

  private ContentCorruptException noted(String object, String why) {
    ContentCorruptException found = new ContentCorruptException(object, why);
    damage.note(found);
    return found;
  }

  /**
   * Publishes a backup whose objects are all there. Publishing the same manifest again changes nothing.
   *
   * @throws BackupException {@code IN_USE} when the id has another manifest; {@code NOT_FOUND} or {@code CONTENT_CORRUPT} when something that it names is missing or has the wrong size; {@code
   *     DELTA_GAP} when it does not fit to the previous backup; {@code FAILED} when the run took too long
   */
  public PublishedBackup publish(BackupManifest manifest) throws IOException {
    if (!require(store).equals(file)) {
      throw new BackupException(Reason.IN_USE, store.uri(RepositoryFile.NAME) + ": the repository was made anew meanwhile");
    }
    file.check(key);
    ManifestRules.problem(manifest)
        .ifPresent(
            problem -> {
              throw new IllegalArgumentException("manifest " + manifest.id() + ": " + problem);
            });
    byte[] document = manifests.encode(manifest);
    Optional<PublishedBackup> there = manifests.find(manifest.id());
    if (there.isPresent()) {
      return same(there.get(), document);
    }
    checkPrevious(manifest);
    references = null;
    for (StoredObject object : requireObjects(manifest)) {
      if (!isSafe(object, PUBLISH_WITHIN)) {
        throw new BackupException(Reason.FAILED, store.uri(object.name()) + ": older than " + PUBLISH_WITHIN + " and named by no backup, so it may be collected; run the backup again");
      }
    }
    settings.failPoint().reached(BackupFailPoints.BEFORE_PUBLISH);
    store.put(Manifests.object(manifest.id()), Content.of(document));
    settings.failPoint().reached(BackupFailPoints.AFTER_PUBLISH);
    try {
      requireObjects(manifest);
      checkPrevious(manifest);
    } catch (BackupException e) {
      if (e.reason() != Reason.DESTINATION_UNAVAILABLE) {
        store.delete(Manifests.object(manifest.id()));
      }
      throw e;
    }
    references = null;
    return same(manifests.require(manifest.id()), document);
  }

  private static PublishedBackup same(PublishedBackup there, byte[] document) throws BackupException {
    if (!there.sha256().equals(HexFormat.of().formatHex(DigestStream.sha256().digest(document)))) {
      throw new BackupException(Reason.IN_USE, there.uri() + ": there is another backup with this id");
    }
    return there;
  }

  private void checkPrevious(BackupManifest manifest) throws IOException {
    if (manifest.previous().isPresent()) {
      Previous previous = manifest.previous().get();
      Listing listing = manifests.list();
      Chain.endingAt(listing.backups(), previous.id()).checkNext(manifest);
    }
  }

  /** The objects that the manifest names, each there and as large as it must be. */
  private List<StoredObject> requireObjects(BackupManifest manifest) throws IOException {
    Map<String, Long> wanted = Manifests.sizes(manifest);
    Map<String, StoredObject> there = manifests.objects(manifest);
    for (Map.Entry<String, Long> object : wanted.entrySet()) {
      StoredObject found = there.get(object.getKey());
      if (found == null) {
        throw new BackupException(Reason.NOT_FOUND, store.uri(object.getKey()) + ": no such object; it may have been collected, run the backup again");
      }
      long bytes = key.isPresent() ? Frames.stored(object.getValue()) : object.getValue();
      if (found.bytes() != bytes) {
        throw noted(object.getKey(), "has " + found.bytes() + " bytes, not " + bytes + "; run the backup again");
      }
    }
    return wanted.keySet().stream().map(there::get).toList();
  }

  /**
   * @throws BackupException {@code NOT_FOUND}, {@code CONTENT_CORRUPT}
   */
  public PublishedBackup backup(String id) throws IOException {
    return manifests.require(id);
  }

  /** All backups, the oldest first. */
  public Listing backups() throws IOException {
    return manifests.list();
  }

  /**
   * The backups that are there, in order of their completion.
   *
   * @param damaged manifests that cannot be read, by id, with the reason; deletions and collections wait until these are deleted
   */
  public record Listing(List<PublishedBackup> backups, Map<String, String> damaged) {}

  /**
   * Deletes a backup. Its objects go with a {@link #collect} when the grace period is over and no other backup names them.
   *
   * @param cascade with all that depend on it, the last ones first
   * @return the ids that were deleted, in that order
   * @throws BackupException {@code IN_USE} while another backup goes on from it and {@code cascade} is not set; {@code NOT_FOUND}
   */
  public List<String> delete(String id, boolean cascade) throws IOException {
    references = null;
    return retention().delete(id, cascade);
  }

  /**
   * Removes objects that no backup names, and what interrupted writes left behind.
   *
   * @param grace how long an object that nothing names is kept; {@link Duration#ZERO} only when no run is on
   * @throws ContentCorruptException when there is a manifest that cannot be read: nobody knows what it names
   */
  public Collected collect(Duration grace) throws IOException {
    return retention().collect(grace);
  }

  /**
   * What a collection removed.
   *
   * @param objects that nothing named
   * @param bytes of these, as stored
   * @param partial interrupted writes
   */
  public record Collected(int objects, long bytes, int partial) {}

  private Retention retention() {
    return new Retention(store, manifests, damage, settings);
  }

  @Override
  public void close() throws IOException {
    store.close();
  }
}
