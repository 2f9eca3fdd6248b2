package io.kvorum.bbolt;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The open page of one level of a tree that is being written. Reusable: {@link #flush} empties it. */
final class Node {
  private final PageWriter out;
  private final boolean leaf;
  private final List<byte[]> keys = new ArrayList<>();

  /** Of a leaf. */
  private final List<byte[]> values = new ArrayList<>();

  private final int elementFlags;

  /** Of a branch. */
  private long[] children = new long[16];

  private long bytes = Page.HEADER_BYTES;

  /**
   * @param elementFlags those of every element of a leaf
   */
  Node(PageWriter out, boolean leaf, int elementFlags) {
    this.out = out;
    this.leaf = leaf;
    this.elementFlags = elementFlags;
  }

  int count() {
    return keys.size();
  }

  long bytes() {
    return bytes;
  }

  boolean isLeaf() {
    return leaf;
  }

  /** Of a branch that needs no page. */
  long onlyChild() {
    return children[0];
  }

  byte[] firstKey() {
    return keys.getFirst();
  }

  /** Whether one more entry would still be within one page. */
  boolean fits(long entryBytes) {
    return bytes + entryBytes <= out.pageSize() && keys.size() < Page.ELEMENTS_MAX;
  }

  /** Adds to a leaf; copies the value, unless only pages are counted. */
  void add(byte[] key, ByteBuffer value) {
    bytes += Page.ELEMENT_BYTES + key.length + value.remaining();
    keys.add(key);
    if (!out.counts()) {
      byte[] copy = new byte[value.remaining()];
      value.get(copy);
      values.add(copy);
    }
  }

  /** Adds to a branch. */
  void add(byte[] key, long child) {
    if (keys.size() == children.length) {
      children = Arrays.copyOf(children, children.length * 2);
    }
    children[keys.size()] = child;
    keys.add(key);
    bytes += Page.ELEMENT_BYTES + key.length;
  }

  /** Writes the page and begins anew. */
  long flush() throws IOException {
    long id = out.allocate(bytes);
    if (!out.counts()) {
      out.write(encode(id, out.overflow(bytes)));
      out.pad(bytes);
    }
    keys.clear();
    values.clear();
    bytes = Page.HEADER_BYTES;
    return id;
  }

  /** The page as it would be inside of a bucket's value; zeros when only pages are counted. */
  ByteBuffer inline() {
    return out.counts() ? ByteBuffer.allocate((int) bytes) : encode(0, 0);
  }

  private ByteBuffer encode(long id, int overflow) {
    ByteBuffer page = ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
    Page.header(page, id, leaf ? Page.LEAF : Page.BRANCH, keys.size(), overflow);
    int data = Page.HEADER_BYTES + Page.ELEMENT_BYTES * keys.size();
    for (int i = 0; i < keys.size(); i++) {
      int key = keys.get(i).length;
      int fromElement = data - page.position();
      if (leaf) {
        int value = values.get(i).length;
        page.putInt(elementFlags).putInt(fromElement).putInt(key).putInt(value);
        data += key + value;
      } else {
        page.putInt(fromElement).putInt(key).putLong(children[i]);
        data += key;
      }
    }
    for (int i = 0; i < keys.size(); i++) {
      page.put(keys.get(i));
      if (leaf) {
        page.put(values.get(i));
      }
    }
    return page.flip();
  }
}
