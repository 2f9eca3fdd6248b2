package io.kvorum.server.backup.repository;

import java.util.List;

/** The names of the durable boundaries of a repository, for {@link io.kvorum.mvcc.FailPoint}. */
public final class BackupFailPoints {
  /** The temporary file is there, empty. */
  public static final String FOLDER_BEFORE_WRITE = "backup.folder.before-write";

  /** All is written, nothing forced. */
  public static final String FOLDER_BEFORE_SYNC = "backup.folder.before-sync";

  /** The object is forced under its temporary name. */
  public static final String FOLDER_BEFORE_RENAME = "backup.folder.before-rename";

  /** The object has its name, which may not survive a power loss yet. */
  public static final String FOLDER_BEFORE_DIRECTORY_SYNC = "backup.folder.before-dir-sync";

  public static final String FOLDER_AFTER_DIRECTORY_SYNC = "backup.folder.after-dir-sync";
  public static final String FOLDER_BEFORE_DELETE = "backup.folder.before-delete";

  /** All that the backup names is there, its manifest is not. */
  public static final String BEFORE_PUBLISH = "backup.repository.before-publish";

  /** The manifest is there; that all that it names still is has not been looked at again. */
  public static final String AFTER_PUBLISH = "backup.repository.after-publish";

  /** A deleted backup is noted, its manifest is still there. */
  public static final String BEFORE_REMOVE = "backup.repository.before-remove";

  /** The manifest is gone. */
  public static final String AFTER_REMOVE = "backup.repository.after-remove";

  /** Some objects that nothing names are gone; called before each. */
  public static final String BEFORE_COLLECT = "backup.repository.before-collect";

  public static final List<String> ALL =
      List.of(
          FOLDER_BEFORE_WRITE,
          FOLDER_BEFORE_SYNC,
          FOLDER_BEFORE_RENAME,
          FOLDER_BEFORE_DIRECTORY_SYNC,
          FOLDER_AFTER_DIRECTORY_SYNC,
          FOLDER_BEFORE_DELETE,
          BEFORE_PUBLISH,
          AFTER_PUBLISH,
          BEFORE_REMOVE,
          AFTER_REMOVE,
          BEFORE_COLLECT);

  private BackupFailPoints() {}
}
