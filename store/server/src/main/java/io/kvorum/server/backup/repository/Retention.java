package io.kvorum.server.backup.repository;

import io.kvorum.server.backup.repository.BackupException.Reason;
import io.kvorum.server.backup.repository.Repository.Collected;
import io.kvorum.server.backup.repository.Repository.Listing;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Takes backups and objects away.
 *
 * <p>Deleting one backup: 1. refuse if another one goes on from it; 2. copy its manifest to {@code deleted/}; 3. remove it from {@code backups/}; 4. look again for one that goes on from it and was
 * published meanwhile: if there is one, put the manifest back and refuse. A crash after 2 leaves the backup there and a copy that a later collection removes; deleting it again goes on.
 */
final class Retention {
  private final ObjectStore store;
  private final Manifests manifests;
  private final Damage damage;
  private final Settings settings;

  Retention(ObjectStore store, Manifests manifests, Damage damage, Settings settings) {
    this.store = store;
    this.manifests = manifests;
    this.damage = damage;
    this.settings = settings;
  }

  List<String> delete(String id, boolean cascade) throws IOException {
    Listing listing = manifests.list();
    if (manifests.document(Manifests.object(id)).isEmpty()) {
      throw new BackupException(Reason.NOT_FOUND, store.uri(Manifests.object(id)) + ": there is no such backup");
    }
    List<String> order = new ArrayList<>(dependents(listing, id));
    if (!order.isEmpty() && !cascade) {
      throw inUse(id, order);
    }
    for (Map.Entry<String, String> damaged : listing.damaged().entrySet()) {
      if (!damaged.getKey().equals(id)) {
        throw new ContentCorruptException(Manifests.object(damaged.getKey()), damaged.getValue() + "; nobody knows what it depends on, delete it first");
      }
    }
    order.add(id);
    for (String each : order) {
      remove(each);
    }
    return order;
  }

  /** Those that go on from it, and from these: the last ones first. */
  private static List<String> dependents(Listing listing, String id) {
    List<String> next = List.of(id);
    List<String> found = new ArrayList<>();
    Set<String> seen = new HashSet<>(next);
    while (!next.isEmpty()) {
      List<String> from = next;
      next =
          listing.backups().stream()
              .filter(backup -> backup.manifest().previous().filter(previous -> from.contains(previous.id())).isPresent())
              .map(PublishedBackup::id)
              .filter(seen::add)
              .toList();
      found.addAll(0, next);
    }
    return found;
  }

  private BackupException inUse(String id, List<String> dependents) {
    return new BackupException(Reason.IN_USE, "backup " + id + ": these depend on it: " + String.join(", ", dependents.reversed()));
  }

  private void remove(String id) throws IOException {
    String name = Manifests.object(id);
    Optional<byte[]> document = manifests.document(name);
    if (document.isEmpty()) {
      return;
    }
    boolean readable = readable(name, document.get());
    String copy = Manifests.DELETED + Manifests.file(id);
    if (readable) {
      store.put(copy, Content.of(document.get()));
    }
    settings.failPoint().reached(BackupFailPoints.BEFORE_REMOVE);
    store.delete(name);
    settings.failPoint().reached(BackupFailPoints.AFTER_REMOVE);
    List<String> dependents = dependents(manifests.list(), id);
    if (readable && !dependents.isEmpty()) {
      store.put(name, Content.of(document.get()));
      throw inUse(id, dependents);
    }
  }

  private boolean readable(String name, byte[] document) {
    try {
      manifests.decode(name, document);
      return true;
    } catch (ContentCorruptException e) {
      // Nobody can know what it names, so there is nothing that a copy could hold.
      return false;
    }
  }

  Collected collect(Duration grace) throws IOException {
    Instant before = settings.clock().instant().minus(grace);
    List<StoredObject> objects = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      objects.addAll(store.list(kind.prefix()));
    }
    List<StoredObject> copies = store.list(Manifests.DELETED);
    References references = References.read(store, manifests);
    copies.stream().filter(copy -> !copy.modified().isAfter(before)).forEach(copy -> references.damaged().remove(copy.name()));
    for (Map.Entry<String, String> damaged : references.damaged().entrySet()) {
      throw new ContentCorruptException(damaged.getKey(), damaged.getValue() + "; nobody knows what it names, delete it first");
    }
    int count = 0;
    long bytes = 0;
    for (StoredObject object : objects) {
      if (!references.hold(object, before)) {
        settings.failPoint().reached(BackupFailPoints.BEFORE_COLLECT);
        // A run may have sent it again since it was listed.
        Optional<StoredObject> still = store.find(object.name());
        if (still.isPresent() && !references.hold(still.get(), before)) {
          store.delete(object.name());
          count++;
          bytes += object.bytes();
        }
      }
    }
    for (StoredObject copy : copies) {
      if (!copy.modified().isAfter(before)) {
        store.delete(copy.name());
      }
    }
    damage.retain(objects);
    return new Collected(count, bytes, store.removePartial(before));
  }
}
