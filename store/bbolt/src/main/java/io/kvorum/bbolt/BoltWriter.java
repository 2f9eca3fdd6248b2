package io.kvorum.bbolt;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Writes a whole file, front to back, in bounded memory: one open page for each level of a tree.
 *
 * <p>The meta pages come first and name what comes last, so the content is gone through twice: {@link #plan} counts pages, {@link #write} writes them. Both must see the same
 * rows.
 */
public final class BoltWriter {
  /** The page size of the machines that etcd runs on. Readers take it from the file. */
  public static final int PAGE_SIZE = 4_096;

  private final int pageSize;
  private final List<Bucket> buckets;

  /**
   * @param pageSize a power of two from 1,024
   * @param buckets in ascending order of names
   */
  public BoltWriter(int pageSize, List<Bucket> buckets) {
    if (pageSize < 1_024 || Integer.bitCount(pageSize) != 1) {
      throw new IllegalArgumentException("page size " + pageSize);
    }
    this.pageSize = pageSize;
    this.buckets = List.copyOf(buckets);
  }

  /**
   * Where things will be.
   *
   * @param pageSize bytes
   * @param root page of the directory of buckets
   * @param pages all of them
   */
  public record Layout(int pageSize, long root, long pages) {
    /** Length of the file. */
    public long bytes() {
      return pages * pageSize;
    }
  }

  /** Goes through all rows, without looking at values. */
  public Layout plan() throws IOException {
    return write(new PageWriter(pageSize, null));
  }

  /**
   * Writes the file.
   *
   * @param layout what {@link #plan} said
   * @throws IllegalStateException when the rows are not those that were planned for; what was written is then useless
   */
  public void write(Layout layout, ByteSink sink) throws IOException {
    sink.write(new Meta(pageSize, layout.root(), layout.pages(), 2).encode(0));
    sink.write(new Meta(pageSize, layout.root(), layout.pages(), 1).encode(1));
    Layout written = write(new PageWriter(pageSize, sink));
    if (!written.equals(layout)) {
      throw new IllegalStateException("planned " + layout + ", wrote " + written);
    }
  }

  private Layout write(PageWriter out) throws IOException {
    TreeWriter directory = new TreeWriter(out, Page.BUCKET_ELEMENT);
    for (Bucket bucket : buckets) {
      TreeWriter tree = new TreeWriter(out, 0);
      bucket.rows().forEach(tree);
      directory.row(bucket.name().getBytes(StandardCharsets.US_ASCII), tree.finishBucket());
    }
    long root = directory.finish();
    return new Layout(pageSize, root, out.pages());
  }
}
