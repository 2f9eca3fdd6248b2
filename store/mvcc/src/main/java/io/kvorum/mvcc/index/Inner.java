package io.kvorum.mvcc.index;

import java.util.Arrays;
import java.util.List;

/**
 * An inner node: children, the least key that may stand in each (separators), and per child the number of live keys and the highest main revision. Child
 * counts may be changed in place while {@code edit} is the writer's current one; the structure never is.
 */
final class Inner extends Node {
  static final int FANOUT = 64;

  private final long edit;
  private final Node[] children;
  /** Separator i is above all keys of child i - 1 and not above any of child i; number 0 is not used. */
  private final byte[][] separators;

  /** Bytes that all separators share. */
  private final int shared;

  private final long[] heads;
  private final int[] live;
  private final long[] newest;

  private Inner(long edit, Node[] children, byte[][] separators, int shared, long[] heads, int[] live, long[] newest) {
    this.edit = edit;
    this.children = children;
    this.separators = separators;
    this.shared = shared;
    this.heads = heads;
    this.live = live;
    this.newest = newest;
  }

  /**
   * Makes a node.
   *
   * @param separators as many as children; the first is ignored
   */
  static Inner of(long edit, List<Node> children, List<byte[]> separators) {
    int n = children.size();
    byte[][] keys = new byte[n][];
    long[] heads = new long[n];
    int[] live = new int[n];
    long[] newest = new long[n];
    for (int i = 1; i < n; i++) {
      keys[i] = separators.get(i);
    }
    int shared = n < 3 ? n < 2 ? 0 : keys[1].length : Bytes.commonPrefix(keys[1], keys[n - 1]);
    for (int i = 0; i < n; i++) {
      Node child = children.get(i);
      live[i] = Math.toIntExact(child.live());
      newest[i] = child.newest();
      heads[i] = i == 0 ? 0 : Bytes.head(keys[i], shared);
    }
    return new Inner(edit, children.toArray(new Node[0]), keys, shared, heads, live, newest);
  }

  int size() {
    return children.length;
  }

  Node child(int i) {
    return children[i];
  }

  byte[] separator(int i) {
    return separators[i];
  }

  int liveOf(int i) {
    return live[i];
  }

  long newestOf(int i) {
    return newest[i];
  }

  @Override
  long live() {
    long sum = 0;
    for (int count : live) {
      sum += count;
    }
    return sum;
  }

  @Override
  long newest() {
    long max = 0;
    for (long main : newest) {
      max = Math.max(max, main);
    }
    return max;
  }

  /** The only child in which a key can be. */
  int childFor(byte[] key) {
    int n = children.length;
    if (n == 1) {
      return 0;
    }
    int order = Arrays.compareUnsigned(key, 0, Math.min(key.length, shared), separators[1], 0, shared);
    if (order != 0) {
      return order < 0 ? 0 : n - 1;
    }
    long head = Bytes.head(key, shared);
    int low = 1;
    int high = n - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int c = Long.compareUnsigned(heads[middle], head);
      if (c == 0) {
        byte[] separator = separators[middle];
        c = Arrays.compareUnsigned(separator, shared, separator.length, key, shared, key.length);
      }
      if (c <= 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return low - 1;
  }

  /** This node when it belongs to the edit, else a copy that does. */
  Inner editable(long current) {
    if (edit == current) {
      return this;
    }
    return new Inner(current, children.clone(), separators, shared, heads, live.clone(), newest.clone());
  }

  /** Puts a changed child in place; only on an editable node. */
  void set(int i, Node child, int liveDelta, long main) {
    children[i] = child;
    live[i] += liveDelta;
    newest[i] = Math.max(newest[i], main);
  }

  /** A copy in which one child became two. */
  Inner withSplit(long current, int i, Node left, byte[] separator, Node right) {
    int n = children.length;
    Node[] nextChildren = new Node[n + 1];
    byte[][] nextSeparators = new byte[n + 1][];
    System.arraycopy(children, 0, nextChildren, 0, i);
    System.arraycopy(separators, 0, nextSeparators, 0, i + 1);
    nextChildren[i] = left;
    nextChildren[i + 1] = right;
    nextSeparators[i + 1] = separator;
    System.arraycopy(children, i + 1, nextChildren, i + 2, n - i - 1);
    System.arraycopy(separators, i + 1, nextSeparators, i + 2, n - i - 1);
    return of(current, List.of(nextChildren), Arrays.asList(nextSeparators));
  }

  /** The children from one position to another as a node of their own. */
  Inner part(long current, int from, int to) {
    return of(current, Arrays.asList(children).subList(from, to), Arrays.asList(separators).subList(from, to));
  }
}
