package io.kvorum.server.backup.repository;

/**
 * A backup that is in a repository.
 *
 * @param sha256 of its manifest as stored, hexadecimal: what a delta names it by
 * @param uri of its manifest
 */
public record PublishedBackup(BackupManifest manifest, String sha256, String uri) {
  public String id() {
    return manifest.id();
  }
}
