package io.kvorum.bbolt;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a file that nobody writes. Trusts nothing: page numbers, positions and lengths are checked against the file, no page may be reached twice, keys must ascend over a
 * whole bucket. Pages that the tree does not reach are not looked at, nor is what lies behind the pages in use.
 *
 * <p>Memory: one node for each level of a tree, and a bit for each page.
 */
public final class BoltReader {
  private static final int PAGE_SIZE_MIN = 1_024;
  private static final int PAGE_SIZE_MAX = 1_024 << 14;
  private static final int DEPTH_MAX = 64;
  private static final long NODE_BYTES_MAX = Integer.MAX_VALUE - 64;

  private final ByteSource source;
  private final Meta meta;
  private final BitSet visited = new BitSet();
  private final Map<String, Content> buckets = new LinkedHashMap<>();

  /** A bucket: a tree of its own, or a leaf inside of the directory. */
  private record Content(long root, byte[] inline) {}

  /** Sees the elements of leaves in order. */
  @FunctionalInterface
  private interface ElementSink {
    void element(int flags, byte[] key, ByteBuffer value) throws IOException;
  }

  private BoltReader(ByteSource source, Meta meta) {
    this.source = source;
    this.meta = meta;
  }

  /**
   * Reads meta pages and directory.
   *
   * @throws BoltFormatException when this is no bbolt file, a truncated or a damaged one
   */
  public static BoltReader open(ByteSource source) throws IOException {
    Meta meta = meta(source);
    boolean possible = meta.pageSize() >= PAGE_SIZE_MIN && meta.pageSize() <= PAGE_SIZE_MAX && Integer.bitCount(meta.pageSize()) == 1 && meta.pages() > 2;
    if (!possible || meta.pages() > Integer.MAX_VALUE) {
      throw new BoltFormatException("the meta page tells of " + meta.pages() + " pages of " + meta.pageSize() + " bytes");
    }
    long length = meta.pages() * meta.pageSize();
    if (source.size() < length) {
      throw new BoltFormatException("the file is truncated: " + source.size() + " bytes of " + length);
    }
    BoltReader reader = new BoltReader(source, meta);
    reader.readDirectory();
    return reader;
  }

  /** The sound meta page of the higher transaction; the first one of two equals. */
  private static Meta meta(ByteSource source) throws IOException {
    Meta first = metaAt(source, 0);
    Meta second = first != null ? metaAt(source, first.pageSize()) : null;
    for (long at = PAGE_SIZE_MIN; first == null && second == null && at <= PAGE_SIZE_MAX; at <<= 1) {
      Meta found = metaAt(source, at);
      second = found != null && found.pageSize() == at ? found : null;
    }
    if (first == null && second == null) {
      throw new BoltFormatException("not a bbolt file: no sound meta page");
    }
    return second == null || first != null && first.transaction() >= second.transaction() ? first : second;
  }

  private static Meta metaAt(ByteSource source, long offset) throws IOException {
    if (offset < 0 || offset + Meta.BYTES > source.size()) {
      return null;
    }
    ByteBuffer page = ByteBuffer.allocate(Meta.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    source.read(offset, page);
    return Meta.decode(page);
  }

  private void readDirectory() throws IOException {
    walk(
        meta.root(),
        (flags, key, value) -> {
          if (flags == Page.BUCKET_ELEMENT) {
            String name = new String(key, StandardCharsets.ISO_8859_1);
            if (value.remaining() < Page.BUCKET_HEADER_BYTES) {
              throw new BoltFormatException("bucket " + name + " has no header");
            }
            ByteBuffer header = value.slice().order(ByteOrder.LITTLE_ENDIAN);
            byte[] inline = new byte[header.remaining() - Page.BUCKET_HEADER_BYTES];
            header.get(Page.BUCKET_HEADER_BYTES, inline);
            buckets.put(name, new Content(header.getLong(0), inline));
          }
        });
  }

  public Meta meta() {
    return meta;
  }

  /** Pages that were read so far, the metas left out. */
  int reached() {
    return visited.cardinality();
  }

  /** Names of all buckets, in order. */
  public List<String> buckets() {
    return new ArrayList<>(buckets.keySet());
  }

  /**
   * Hands over the rows of a bucket in order; nothing when there is no such bucket. Each bucket may be read once.
   *
   * @throws BoltFormatException when a page is damaged
   */
  public void forEach(String bucket, RowSink sink) throws IOException {
    Content content = buckets.get(bucket);
    if (content == null) {
      return;
    }
    ElementSink rows =
        (flags, key, value) -> {
          if (flags != 0) {
            throw new BoltFormatException("bucket " + bucket + " holds a bucket, which etcd's never do");
          }
          sink.row(key, value);
        };
    try {
      if (content.root() != 0) {
        walk(content.root(), rows);
        return;
      }
      NodeReader leaf = new NodeReader(0, ByteBuffer.wrap(content.inline()).order(ByteOrder.LITTLE_ENDIAN));
      if (leaf.isBranch()) {
        throw new BoltFormatException("a branch inside of the directory");
      }
      new Walk(rows).leaf(leaf);
    } catch (BoltFormatException damaged) {
      throw new BoltFormatException("bucket " + bucket + ": " + damaged.getMessage());
    }
  }

  private void walk(long root, ElementSink sink) throws IOException {
    new Walk(sink).node(root, 0);
  }

  /** One pass through a tree. */
  private final class Walk {
    private final ElementSink sink;
    private byte[] previous;

    Walk(ElementSink sink) {
      this.sink = sink;
    }

    void node(long id, int depth) throws IOException {
      if (depth > DEPTH_MAX) {
        throw new BoltFormatException("the tree is deeper than " + DEPTH_MAX + " levels");
      }
      NodeReader node = read(id);
      if (!node.isBranch()) {
        leaf(node);
        return;
      }
      if (node.count() == 0) {
        throw new BoltFormatException("page " + id + " is a branch without children");
      }
      byte[] separator = null;
      for (int i = 0; i < node.count(); i++) {
        byte[] next = node.key(i);
        if (separator != null && Arrays.compareUnsigned(separator, next) >= 0 || i > 0 && previous != null && Arrays.compareUnsigned(previous, next) >= 0) {
          throw new BoltFormatException("page " + id + " is out of order");
        }
        separator = next;
        node(node.child(i), depth + 1);
      }
    }

    void leaf(NodeReader leaf) throws IOException {
      for (int i = 0; i < leaf.count(); i++) {
        byte[] key = leaf.key(i);
        if (previous != null && Arrays.compareUnsigned(previous, key) >= 0) {
          throw new BoltFormatException("page " + leaf.id() + " is out of order");
        }
        previous = key;
        sink.element(leaf.flags(i), key, leaf.value(i));
      }
    }
  }

  private NodeReader read(long id) throws IOException {
    if (id < 2 || id >= meta.pages()) {
      throw new BoltFormatException("page " + id + " is named, of " + meta.pages());
    }
    long offset = id * meta.pageSize();
    ByteBuffer header = ByteBuffer.allocate(Page.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    source.read(offset, header);
    long pages = 1 + Integer.toUnsignedLong(header.getInt(NodeReader.OVERFLOW_OFFSET));
    long bytes = pages * meta.pageSize();
    if (header.getLong(0) != id || pages > meta.pages() - id || bytes > NODE_BYTES_MAX) {
      throw new BoltFormatException("page " + id + " says that it is page " + header.getLong(0) + " and has " + pages + " pages");
    }
    int seen = visited.nextSetBit((int) id);
    if (seen >= 0 && seen < id + pages) {
      throw new BoltFormatException("page " + seen + " is named twice");
    }
    visited.set((int) id, (int) (id + pages));
    ByteBuffer node = ByteBuffer.allocate((int) bytes).order(ByteOrder.LITTLE_ENDIAN);
    source.read(offset, node);
    return new NodeReader(id, node.clear());
  }
}
