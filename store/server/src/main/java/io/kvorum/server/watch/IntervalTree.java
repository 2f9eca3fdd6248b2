package io.kvorum.server.watch;

import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Half-open key intervals {@code [begin, end)}, each with one value, that answers which of them hold a key: an AVL tree ordered by (begin, end) in which
 * each node knows the greatest end below it, so that a query skips every subtree that ends too early. Keys are ordered as unsigned bytes; a null end is
 * infinity. O(log n) to change, O(log n + matches) to ask. Not thread-safe.
 */
final class IntervalTree<V> {
  private Node<V> root;
  private int size;

  int size() {
    return size;
  }

  /** The value of exactly this interval, made by {@code fresh} when there is none. */
  V getOrAdd(byte[] begin, byte[] end, Supplier<V> fresh) {
    Node<V> found = find(begin, end);
    if (found != null) {
      return found.value;
    }
    V value = fresh.get();
    root = insert(root, new Node<>(begin, end, value));
    size++;
    return value;
  }

  /** The value of exactly this interval, or null. */
  V get(byte[] begin, byte[] end) {
    Node<V> found = find(begin, end);
    return found == null ? null : found.value;
  }

  /** Removes exactly this interval; returns whether it was there. */
  boolean remove(byte[] begin, byte[] end) {
    if (find(begin, end) == null) {
      return false;
    }
    root = delete(root, begin, end);
    size--;
    return true;
  }

  /** Passes the value of each interval that holds the key, in interval order. The tree must not be changed meanwhile. */
  void stab(byte[] key, Consumer<? super V> visitor) {
    stab(root, key, visitor);
  }

  private static <V> void stab(Node<V> node, byte[] key, Consumer<? super V> visitor) {
    Node<V> at = node;
    while (at != null && endsAfter(at.maxEnd, key)) {
      stab(at.left, key, visitor);
      if (Arrays.compareUnsigned(at.begin, key) > 0) {
        return;
      }
      if (endsAfter(at.end, key)) {
        visitor.accept(at.value);
      }
      at = at.right;
    }
  }

  private static boolean endsAfter(byte[] end, byte[] key) {
    return end == null || Arrays.compareUnsigned(end, key) > 0;
  }

  private Node<V> find(byte[] begin, byte[] end) {
    Node<V> at = root;
    while (at != null) {
      int order = compare(begin, end, at);
      if (order == 0) {
        return at;
      }
      at = order < 0 ? at.left : at.right;
    }
    return null;
  }

  private static <V> Node<V> insert(Node<V> node, Node<V> fresh) {
    if (node == null) {
      return fresh;
    }
    if (compare(fresh.begin, fresh.end, node) < 0) {
      node.left = insert(node.left, fresh);
    } else {
      node.right = insert(node.right, fresh);
    }
    return balance(node);
  }

  private static <V> Node<V> delete(Node<V> node, byte[] begin, byte[] end) {
    int order = compare(begin, end, node);
    if (order < 0) {
      node.left = delete(node.left, begin, end);
    } else if (order > 0) {
      node.right = delete(node.right, begin, end);
    } else if (node.left == null || node.right == null) {
      return node.left == null ? node.right : node.left;
    } else {
      Node<V> successor = node.right;
      while (successor.left != null) {
        successor = successor.left;
      }
      Node<V> right = delete(node.right, successor.begin, successor.end);
      successor.left = node.left;
      successor.right = right;
      return balance(successor);
    }
    return balance(node);
  }

  private static <V> Node<V> balance(Node<V> node) {
    int lean = height(node.left) - height(node.right);
    if (lean > 1) {
      if (height(node.left.left) < height(node.left.right)) {
        node.left = rotateLeft(node.left);
      }
      return rotateRight(node);
    }
    if (lean < -1) {
      if (height(node.right.right) < height(node.right.left)) {
        node.right = rotateRight(node.right);
      }
      return rotateLeft(node);
    }
    node.update();
    return node;
  }

  private static <V> Node<V> rotateRight(Node<V> node) {
    Node<V> up = node.left;
    node.left = up.right;
    up.right = node;
    node.update();
    up.update();
    return up;
  }

  private static <V> Node<V> rotateLeft(Node<V> node) {
    Node<V> up = node.right;
    node.right = up.left;
    up.left = node;
    node.update();
    up.update();
    return up;
  }

  private static int height(Node<?> node) {
    return node == null ? 0 : node.height;
  }

  private static int compare(byte[] begin, byte[] end, Node<?> node) {
    int order = Arrays.compareUnsigned(begin, node.begin);
    return order != 0 ? order : compareEnds(end, node.end);
  }

  private static int compareEnds(byte[] a, byte[] b) {
    if (a == null || b == null) {
      return a == b ? 0 : a == null ? 1 : -1;
    }
    return Arrays.compareUnsigned(a, b);
  }

  private static final class Node<V> {
    final byte[] begin;
    final byte[] end;
    final V value;
    byte[] maxEnd;
    int height = 1;
    Node<V> left;
    Node<V> right;

    Node(byte[] begin, byte[] end, V value) {
      this.begin = begin;
      this.end = end;
      this.value = value;
      this.maxEnd = end;
    }

    void update() {
      height = 1 + Math.max(height(left), height(right));
      maxEnd = end;
      if (left != null && compareEnds(left.maxEnd, maxEnd) > 0) {
        maxEnd = left.maxEnd;
      }
      if (right != null && compareEnds(right.maxEnd, maxEnd) > 0) {
        maxEnd = right.maxEnd;
      }
    }
  }
}
