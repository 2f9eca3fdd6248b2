package io.kvorum.mvcc.segment;

import java.util.List;

/** The names of the durable boundaries at which {@link io.kvorum.mvcc.FailPoint} is called, in the order in which they occur. */
public final class FailPoints {
  /** The segment is full, nothing of it is forced. */
  public static final String SEAL_BEFORE_FORCE = "mvcc.seal.before-force";

  /** Segment and side file are forced, under their temporary names. */
  public static final String SEAL_AFTER_FORCE = "mvcc.seal.after-force";

  /** The segment has its final name; no manifest names it. */
  public static final String SEAL_AFTER_RENAME = "mvcc.seal.after-rename";

  /** All segments of the checkpoint are sealed. */
  public static final String MANIFEST_BEFORE_WRITE = "mvcc.manifest.before-write";

  /** The new manifest is forced under its temporary name. */
  public static final String MANIFEST_BEFORE_RENAME = "mvcc.manifest.before-rename";

  /** The new manifest has its name, which may not survive a power loss yet. */
  public static final String MANIFEST_BEFORE_DIRECTORY_SYNC = "mvcc.manifest.before-dir-sync";

  /** The new manifest is durable; files that it no longer names are still there. */
  public static final String MANIFEST_AFTER_DIRECTORY_SYNC = "mvcc.manifest.after-dir-sync";

  /** The rewritten segment is sealed, readers still use the old ones. */
  public static final String REWRITE_BEFORE_SWAP = "mvcc.rewrite.before-swap";

  /** Readers use the rewritten segment, the durable manifest names the old ones. */
  public static final String REWRITE_AFTER_SWAP = "mvcc.rewrite.after-swap";

  /** A received segment is rebuilt and sealed; called once for each. */
  public static final String INSTALL_SEGMENT = "mvcc.install.segment";

  /** All received segments are rebuilt, the old manifest rules. */
  public static final String INSTALL_BEFORE_MANIFEST = "mvcc.install.before-manifest";

  /** The new manifest rules, memory still shows the old state. */
  public static final String INSTALL_AFTER_MANIFEST = "mvcc.install.after-manifest";

  public static final List<String> ALL =
      List.of(
          SEAL_BEFORE_FORCE,
          SEAL_AFTER_FORCE,
          SEAL_AFTER_RENAME,
          MANIFEST_BEFORE_WRITE,
          MANIFEST_BEFORE_RENAME,
          MANIFEST_BEFORE_DIRECTORY_SYNC,
          MANIFEST_AFTER_DIRECTORY_SYNC,
          REWRITE_BEFORE_SWAP,
          REWRITE_AFTER_SWAP,
          INSTALL_SEGMENT,
          INSTALL_BEFORE_MANIFEST,
          INSTALL_AFTER_MANIFEST);

  private FailPoints() {}
}
