package io.kvorum.server.backup.repository;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Notes about objects that somebody found to be damaged, as empty objects of {@code damaged/}. Content that is put again under such a name is sent again and not taken to be there, which mends all
 * backups that name it.
 */
final class Damage {
  private static final String PREFIX = "damaged/";

  private final ObjectStore store;
  private Set<String> noted;

  Damage(ObjectStore store) {
    this.store = store;
  }

  /** As of the first time that it was asked. */
  boolean isNoted(String object) throws IOException {
    if (noted == null) {
      noted = store.list(PREFIX).stream().map(StoredObject::name).collect(Collectors.toCollection(HashSet::new));
    }
    return noted.contains(note(object));
  }

  /** Who only may read cannot note anything, and need not. */
  void note(ContentCorruptException found) {
    try {
      store.put(note(found.object()), Content.of(new byte[0]));
    } catch (IOException e) {
      found.addSuppressed(e);
    }
    noted = null;
  }

  /** The object was sent again. */
  void mended(String object) throws IOException {
    if (isNoted(object)) {
      store.delete(note(object));
      noted.remove(note(object));
    }
  }

  /** Forgets objects that are gone. */
  void retain(List<StoredObject> objects) throws IOException {
    Set<String> there = objects.stream().map(object -> note(object.name())).collect(Collectors.toSet());
    for (StoredObject note : store.list(PREFIX)) {
      if (!there.contains(note.name())) {
        store.delete(note.name());
      }
    }
  }

  private static String note(String object) {
    return PREFIX + object.replace('/', '-');
  }
}
