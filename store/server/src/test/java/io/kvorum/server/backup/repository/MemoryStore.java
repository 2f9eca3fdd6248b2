package io.kvorum.server.backup.repository;

import io.kvorum.server.backup.repository.BackupException.Reason;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Objects in memory, whose ages a test's clock decides. */
final class MemoryStore implements ObjectStore {
  final Map<String, Item> items = new TreeMap<>();
  private final InstantSource clock;
  private final Runnable step;

  record Item(byte[] bytes, Instant modified) {}

  /**
   * @param step called before whatever is done, except before a deletion
   */
  MemoryStore(InstantSource clock, Runnable step) {
    this.clock = clock;
    this.step = step;
  }

  @Override
  public Optional<StoredObject> find(String name) {
    step.run();
    return stored(name);
  }

  private Optional<StoredObject> stored(String name) {
    return Optional.ofNullable(items.get(name)).map(item -> new StoredObject(name, item.bytes().length, item.modified()));
  }

  @Override
  public InputStream open(String name) throws IOException {
    step.run();
    Item item = items.get(name);
    if (item == null) {
      throw new BackupException(Reason.NOT_FOUND, name);
    }
    return new ByteArrayInputStream(item.bytes());
  }

  @Override
  public void put(String name, Content content) throws IOException {
    step.run();
    try (InputStream in = content.open()) {
      byte[] bytes = in.readAllBytes();
      if (bytes.length != content.bytes()) {
        throw new IllegalStateException(name + " is announced with " + content.bytes() + " bytes and has " + bytes.length);
      }
      items.put(name, new Item(bytes, clock.instant()));
    }
  }

  @Override
  public List<StoredObject> list(String prefix) {
    step.run();
    return items.keySet().stream().filter(name -> name.startsWith(prefix)).map(name -> stored(name).orElseThrow()).toList();
  }

  @Override
  public void delete(String name) {
    items.remove(name);
  }

  @Override
  public int removePartial(Instant before) {
    return 0;
  }

  @Override
  public String uri(String name) {
    return "memory:" + name;
  }

  @Override
  public void close() {}
}
