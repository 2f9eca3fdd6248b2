package io.kvorum.server.backup.repository;

import java.util.regex.Pattern;

/** Which names objects, backups and content may have: harmless as a path, as a URL and in a log line. */
final class ObjectNames {
  private static final Pattern OBJECT = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*");
  private static final Pattern BACKUP_ID = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}");
  private static final Pattern HEX = Pattern.compile("[0-9a-f]{64}");

  private ObjectNames() {}

  static String object(String name) {
    if (!OBJECT.matcher(name).matches()) {
      throw new IllegalArgumentException("no name of an object: " + name);
    }
    return name;
  }

  static boolean isBackupId(String id) {
    return BACKUP_ID.matcher(id).matches();
  }

  static boolean isHex(String hex) {
    return HEX.matcher(hex).matches();
  }
}
