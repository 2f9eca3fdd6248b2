package io.kvorum.server.backup.repository;

import io.kvorum.server.backup.repository.Repository.Listing;
import java.io.IOException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which objects are named by manifests.
 *
 * @param published by backups that are there
 * @param released by deleted backups, with the time at which the last of these was deleted
 * @param damaged manifests that cannot be read, by object, with the reason
 */
record References(Set<String> published, Map<String, Instant> released, Map<String, String> damaged) {
  /** Looks at the backups first: one that is being deleted is in one of the two lists then. */
  static References read(ObjectStore store, Manifests manifests) throws IOException {
    Listing there = manifests.list();
    Map<String, Instant> released = new HashMap<>();
    Map<String, String> damaged = new TreeMap<>();
    for (Map.Entry<String, String> each : there.damaged().entrySet()) {
      damaged.put(Manifests.object(each.getKey()), each.getValue());
    }
    for (StoredObject copy : store.list(Manifests.DELETED)) {
      try {
        Optional<byte[]> document = manifests.document(copy.name());
        if (document.isPresent()) {
          BackupManifest manifest = manifests.decode(copy.name(), document.get()).manifest();
          Manifests.sizes(manifest).keySet().forEach(name -> released.merge(name, copy.modified(), (a, b) -> a.isAfter(b) ? a : b));
        }
      } catch (ContentCorruptException e) {
        damaged.put(copy.name(), e.why());
      }
    }
    return new References(Manifests.named(there.backups()), released, damaged);
  }

  /** Whether the object is named, or was written or named after that time. */
  boolean hold(StoredObject object, Instant since) {
    return published.contains(object.name()) || object.modified().isAfter(since) || released.getOrDefault(object.name(), Instant.MIN).isAfter(since);
  }
}
