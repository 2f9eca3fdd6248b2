package io.kvorum.raft.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A disk in memory that can lose what was not forced, fill up and fail. */
public final class FaultDisk implements Disk {
  private static final int SECTOR_BYTES = 512;

  private static final class Node {
    byte[] now = new byte[0];
    byte[] durable = new byte[0];
    final List<long[]> unforced = new ArrayList<>();
  }

  private final Map<String, Node> names = new HashMap<>();
  private final Map<String, Node> durableNames = new HashMap<>();
  private final List<Runnable> unsyncedNameChanges = new ArrayList<>();
  private boolean dead;
  private boolean failForces;
  private long room = Long.MAX_VALUE;
  private int forces;

  public synchronized void failForces(boolean fail) {
    failForces = fail;
  }

  /** Bytes that may still be allocated. */
  public synchronized void room(long bytes) {
    room = bytes;
  }

  synchronized int forces() {
    return forces;
  }

  synchronized void flip(Path file, int offset) {
    names.get(file.toString()).now[offset] ^= 0x10;
    names.get(file.toString()).durable[offset] ^= 0x10;
  }

  synchronized byte[] content(Path file) {
    return names.get(file.toString()).now.clone();
  }

  /** Stops this disk and returns what a power loss leaves: forced bytes, and any of the sectors and name changes that were not. */
  public synchronized FaultDisk crash(Random random) {
    dead = true;
    int kept = unsyncedNameChanges.isEmpty() ? 0 : random.nextInt(unsyncedNameChanges.size() + 1);
    unsyncedNameChanges.subList(0, kept).forEach(Runnable::run);
    FaultDisk after = new FaultDisk();
    Map<Node, Node> copies = new HashMap<>();
    durableNames.forEach(
        (name, node) -> {
          Node copy = copies.computeIfAbsent(node, n -> survive(n, random));
          after.names.put(name, copy);
          after.durableNames.put(name, copy);
        });
    return after;
  }

  private static Node survive(Node node, Random random) {
    Node copy = new Node();
    copy.durable = node.durable.clone();
    int odds = random.nextInt(5);
    for (long[] range : node.unforced) {
      for (long at = range[0]; at < range[1]; at = (at / SECTOR_BYTES + 1) * SECTOR_BYTES) {
        int end = (int) Math.min(range[1], (at / SECTOR_BYTES + 1) * SECTOR_BYTES);
        if (random.nextInt(4) < odds) {
          copy.durable = Arrays.copyOf(copy.durable, Math.max(copy.durable.length, end));
          System.arraycopy(node.now, (int) at, copy.durable, (int) at, end - (int) at);
        }
      }
    }
    copy.now = copy.durable.clone();
    return copy;
  }

  private void check() throws IOException {
    if (dead) {
      throw new IOException("the machine is off");
    }
  }

  @Override
  public void createDirectory(Path directory) {}

  @Override
  public synchronized List<String> list(Path directory) throws IOException {
    check();
    return names.keySet().stream().map(Path::of).filter(p -> directory.equals(p.getParent())).map(p -> p.getFileName().toString()).toList();
  }

  @Override
  public synchronized DiskFile create(Path file) throws IOException {
    check();
    Node node = new Node();
    names.put(file.toString(), node);
    unsyncedNameChanges.add(() -> durableNames.put(file.toString(), node));
    return new Handle(node, true);
  }

  @Override
  public synchronized DiskFile open(Path file, boolean writable) throws IOException {
    check();
    Node node = names.get(file.toString());
    if (node == null) {
      throw new java.nio.file.NoSuchFileException(file.toString());
    }
    return new Handle(node, writable);
  }

  @Override
  public synchronized void rename(Path from, Path to) throws IOException {
    check();
    Node node = names.remove(from.toString());
    names.put(to.toString(), node);
    unsyncedNameChanges.add(
        () -> {
          durableNames.remove(from.toString());
          durableNames.put(to.toString(), node);
        });
  }

  @Override
  public synchronized void delete(Path file) throws IOException {
    check();
    Node node = names.remove(file.toString());
    if (node != null) {
      room += room == Long.MAX_VALUE ? 0 : node.now.length;
    }
    unsyncedNameChanges.add(() -> durableNames.remove(file.toString()));
  }

  @Override
  public synchronized void syncDirectory(Path directory) throws IOException {
    check();
    unsyncedNameChanges.forEach(Runnable::run);
    unsyncedNameChanges.clear();
  }

  private final class Handle implements DiskFile {
    private final Node node;
    private final boolean writable;

    Handle(Node node, boolean writable) {
      this.node = node;
      this.writable = writable;
    }

    @Override
    public long size() {
      synchronized (FaultDisk.this) {
        return node.now.length;
      }
    }

    @Override
    public void write(ByteBuffer bytes, long position) throws IOException {
      synchronized (FaultDisk.this) {
        check();
        if (!writable) {
          throw new IOException("opened for reading");
        }
        int end = (int) position + bytes.remaining();
        int growth = Math.max(0, end - node.now.length);
        if (growth > room) {
          throw new IOException("No space left on device");
        }
        room -= room == Long.MAX_VALUE ? 0 : growth;
        node.now = Arrays.copyOf(node.now, Math.max(end, node.now.length));
        bytes.get(node.now, (int) position, bytes.remaining());
        node.unforced.add(new long[] {position, end});
      }
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
      synchronized (FaultDisk.this) {
        check();
        int n = (int) Math.max(0, Math.min(into.remaining(), node.now.length - position));
        into.put(node.now, (int) position, n);
        return n;
      }
    }

    @Override
    public void force() throws IOException {
      synchronized (FaultDisk.this) {
        check();
        if (failForces) {
          throw new IOException("Input/output error");
        }
        forces++;
        if (node.durable.length != node.now.length) {
          node.durable = node.now.clone();
        } else {
          node.unforced.forEach(range -> System.arraycopy(node.now, (int) range[0], node.durable, (int) range[0], (int) (range[1] - range[0])));
        }
        node.unforced.clear();
      }
    }

    @Override
    public void close() {}
  }
}
