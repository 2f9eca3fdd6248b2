/**
 * Where backups are kept: places for objects (folders, S3-compatible storage), and the repository of content-addressed, optionally encrypted objects and manifests in them. Knows nothing of members.
 *
 * <p>How a backup is made:
 *
 * <pre>{@code
 * ObjectStore store = Destination.parse("s3://bucket/prefix", options);
 * try (Repository repository = Repository.openOrCreate(store, key, Settings.of(RateLimit.of(bytesPerSecond)))) {
 *   Repository.Kept kept = repository.put(Kind.SEGMENT, Content.of(file));   // nothing is sent when it is there
 *   ...
 *   PublishedBackup published = repository.publish(manifest);                // last
 * }
 * }</pre>
 *
 * <p>How one is read: {@link Chain#endingAt} or {@link Chain#reaching} over {@link Repository#backups}, then {@link Repository#read} of the full backup's segments and state and of the chain's log.
 */
package io.kvorum.server.backup.repository;
