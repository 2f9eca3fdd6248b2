package io.kvorum.bbolt;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Writes one tree from the bottom up, from rows in order. Each level has one open page; a page that is full is written and named in the level above. What goes onto which page
 * follows from the lengths of keys and values alone.
 */
final class TreeWriter implements RowSink {
  private static final int BRANCH_ENTRIES_MIN = 2;

  private final PageWriter out;
  private final int elementFlags;

  /** The leaves first. */
  private final List<Node> levels = new ArrayList<>();

  private byte[] previous;

  /** @param elementFlags {@link Page#BUCKET_ELEMENT} for the directory of buckets, else 0 */
  TreeWriter(PageWriter out, int elementFlags) {
    this.out = out;
    this.elementFlags = elementFlags;
    levels.add(new Node(out, true, elementFlags));
  }

  @Override
  public void row(byte[] key, ByteBuffer value) throws IOException {
    if (key.length == 0 || key.length > Page.KEY_BYTES_MAX || previous != null && Arrays.compareUnsigned(previous, key) >= 0) {
      throw new IllegalArgumentException("a key of " + key.length + " bytes that is too long, empty, or not above the one before");
    }
    previous = key;
    Node leaf = levels.getFirst();
    long entry = (long) Page.ELEMENT_BYTES + key.length + value.remaining();
    if (leaf.count() > 0 && !leaf.fits(entry)) {
      flush(0);
    }
    if (Page.HEADER_BYTES + entry > out.pageSize()) {
      writeAlone(key, value);
    } else {
      leaf.add(key, value);
    }
  }

  /** A row that is larger than a page goes out without being copied. */
  private void writeAlone(byte[] key, ByteBuffer value) throws IOException {
    long bytes = (long) Page.HEADER_BYTES + Page.ELEMENT_BYTES + key.length + value.remaining();
    long id = out.allocate(bytes);
    if (!out.counts()) {
      ByteBuffer head = ByteBuffer.allocate(Page.HEADER_BYTES + Page.ELEMENT_BYTES + key.length).order(ByteOrder.LITTLE_ENDIAN);
      Page.header(head, id, Page.LEAF, 1, out.overflow(bytes));
      head.putInt(elementFlags).putInt(Page.ELEMENT_BYTES).putInt(key.length).putInt(value.remaining()).put(key);
      out.write(head.flip());
      out.write(value);
      out.pad(bytes);
    }
    name(1, key, id);
  }

  private void flush(int level) throws IOException {
    Node full = levels.get(level);
    byte[] first = full.firstKey();
    name(level + 1, first, full.flush());
  }

  private void name(int level, byte[] key, long child) throws IOException {
    if (level == levels.size()) {
      levels.add(new Node(out, false, 0));
    }
    Node branch = levels.get(level);
    if (branch.count() >= BRANCH_ENTRIES_MIN && !branch.fits(Page.ELEMENT_BYTES + key.length)) {
      flush(level);
    }
    branch.add(key, child);
  }

  /** Writes what is open. Returns the root page. */
  long finish() throws IOException {
    for (int level = 0; level < levels.size() - 1; level++) {
      if (levels.get(level).count() > 0) {
        flush(level);
      }
    }
    Node top = levels.getLast();
    return top.isLeaf() || top.count() > 1 ? top.flush() : top.onlyChild();
  }

  /**
   * Writes what is open, unless it is so little that it goes into the directory itself.
   *
   * @return the bucket's value in the directory
   */
  ByteBuffer finishBucket() throws IOException {
    Node leaf = levels.getFirst();
    boolean inline = levels.size() == 1 && leaf.bytes() <= out.pageSize() / 4;
    ByteBuffer content = inline ? leaf.inline() : ByteBuffer.allocate(0);
    ByteBuffer value = ByteBuffer.allocate(Page.BUCKET_HEADER_BYTES + content.remaining()).order(ByteOrder.LITTLE_ENDIAN);
    return value.putLong(inline ? 0 : finish()).putLong(0).put(content).flip();
  }
}
