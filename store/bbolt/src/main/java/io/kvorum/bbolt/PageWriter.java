package io.kvorum.bbolt;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Hands out page numbers in order and writes each page the moment it gets its number; or only counts. */
final class PageWriter {
  private static final int FIRST_PAGE = 2;

  private final int pageSize;
  private final ByteSink sink;
  private final ByteBuffer zeros;
  private long next = FIRST_PAGE;

  /** @param sink null: only count */
  PageWriter(int pageSize, ByteSink sink) {
    this.pageSize = pageSize;
    this.sink = sink;
    this.zeros = ByteBuffer.allocate(pageSize).asReadOnlyBuffer();
  }

  int pageSize() {
    return pageSize;
  }

  boolean counts() {
    return sink == null;
  }

  /** Pages so far, the two metas included. */
  long pages() {
    return next;
  }

  /** Pages more than one that a node takes. */
  int overflow(long bytes) {
    return Math.toIntExact((bytes + pageSize - 1) / pageSize - 1);
  }

  /** The number of the node that comes next. */
  long allocate(long bytes) {
    long id = next;
    next += 1 + overflow(bytes);
    return id;
  }

  void write(ByteBuffer bytes) throws IOException {
    if (sink != null) {
      sink.write(bytes);
    }
  }

  /** Fills up the last page of a node. */
  void pad(long bytes) throws IOException {
    int left = (int) (-bytes & pageSize - 1);
    if (sink != null && left > 0) {
      sink.write(zeros.duplicate().limit(left));
    }
  }
}
