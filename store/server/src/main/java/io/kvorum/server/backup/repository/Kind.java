package io.kvorum.server.backup.repository;

/** The content-addressed objects of a repository. */
public enum Kind {
  /** One sealed segment. */
  SEGMENT("segments"),
  /** One chunk of the committed log. */
  LOG("log"),
  /** The small state of a full backup: leases, users, members, alarms. */
  STATE("state");

  private final String folder;

  Kind(String folder) {
    this.folder = folder;
  }

  String prefix() {
    return folder + "/";
  }

  String object(String hex) {
    return folder + "/" + hex;
  }
}
