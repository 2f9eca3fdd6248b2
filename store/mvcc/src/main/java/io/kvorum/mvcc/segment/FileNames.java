package io.kvorum.mvcc.segment;

/** Names in the store's directory. Files that end in one of these and that the manifest does not name are rubbish. */
final class FileNames {
  static final String MANIFEST = "MANIFEST";
  static final String DATA = ".seg";
  static final String SIDE = ".side";
  static final String TEMPORARY = ".tmp";

  /** Shipped files: the records of one segment, and a manifest named by content. */
  static final String STREAM = ".records";

  static final String SHIPPED_MANIFEST = "manifest-";

  private FileNames() {}

  static boolean isOurs(String name) {
    return name.endsWith(DATA) || name.endsWith(SIDE) || name.endsWith(TEMPORARY);
  }
}
