package io.kvorum.server.backup.repository;

import io.kvorum.mvcc.FailPoint;
import java.security.SecureRandom;
import java.time.InstantSource;

/**
 * What a repository takes from outside.
 *
 * @param limit of all that is read from and written to the store
 * @param clock compared with the times of objects when their age matters
 * @param random for the ids of repositories and the salts of the encryption
 * @param failPoint told the names of {@link BackupFailPoints}
 */
public record Settings(RateLimit limit, InstantSource clock, SecureRandom random, FailPoint failPoint) {
  public static Settings of(RateLimit limit) {
    return new Settings(limit, InstantSource.system(), new SecureRandom(), FailPoint.NONE);
  }
}
