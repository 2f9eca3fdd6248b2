package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Size;
import java.util.List;
import java.util.Optional;

/**
 * How a backup is doing.
 *
 * @param type what the run takes; Full where a Delta was asked for and no chain could take it
 * @param startedAt when the run began
 * @param heartbeatAt when its Job was last seen at work
 * @param completedAt when the artefact was published, or the run given up
 * @param source member that it is read from, named before the Job starts
 * @param destination where it was put, whatever the cluster's specification says by now
 * @param encryptionKeySecretRef secret with the key that it was encrypted with, empty for none
 * @param size of the artefact for people, e.g. "312Mi"
 * @param artefact what was published
 * @param verification of the last comparison
 * @param job name of the Job under way, empty for none
 * @param attempts Jobs of the present step that were begun
 * @param retryAfter the next attempt is not made before this
 * @param reason of the failure, or of the last failed attempt: one word
 * @param message for people
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record KvorumBackupStatus(
    Phase phase,
    KvorumBackupSpec.Type type,
    @Size(max = 64) String startedAt,
    @Size(max = 64) String heartbeatAt,
    @Size(max = 64) String completedAt,
    @Size(max = Api.NAME) String source,
    BackupSpec.Destination destination,
    @Size(max = Api.NAME) String encryptionKeySecretRef,
    @Size(max = 32) String size,
    Artefact artefact,
    Verification verification,
    @Size(max = 63) String job,
    Integer attempts,
    @Size(max = 64) String retryAfter,
    @Size(max = 64) String reason,
    @Size(max = Api.MESSAGE) String message,
    @Size(max = 8) List<Condition> conditions) {
  /** Condition: the artefact is published. */
  public static final String COMPLETED = "Completed";

  /** Condition: its content was restored and found equal. */
  public static final String VERIFIED = "Verified";

  /** Of a backup that nobody has looked at. */
  public static final KvorumBackupStatus EMPTY =
      new KvorumBackupStatus(null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);

  public KvorumBackupStatus {
    phase = phase == null ? Phase.PENDING : phase;
    startedAt = Api.orEmpty(startedAt);
    heartbeatAt = Api.orEmpty(heartbeatAt);
    completedAt = Api.orEmpty(completedAt);
    source = Api.orEmpty(source);
    encryptionKeySecretRef = Api.orEmpty(encryptionKeySecretRef);
    size = Api.orEmpty(size);
    job = Api.orEmpty(job);
    attempts = attempts == null ? 0 : attempts;
    retryAfter = Api.orEmpty(retryAfter);
    reason = Api.orEmpty(reason);
    message = Api.orEmpty(message);
    conditions = conditions == null ? List.of() : List.copyOf(conditions);
  }

  /** The condition of this kind. */
  public Optional<Condition> condition(String kind) {
    return conditions.stream().filter(condition -> condition.type().equals(kind)).findFirst();
  }

  /** There is an artefact that can be restored: it was published and no comparison found it different. */
  public boolean usable() {
    return artefact != null && phase != Phase.FAILED;
  }

  /** Where a backup is in its life. Completed, Verified and Failed are final, until a verification is asked for. */
  public enum Phase {
    @JsonProperty("Pending")
    PENDING,
    @JsonProperty("Running")
    RUNNING,
    /** The artefact is published. */
    @JsonProperty("Completed")
    COMPLETED,
    @JsonProperty("Verifying")
    VERIFYING,
    /** Restored, and its content found equal. */
    @JsonProperty("Verified")
    VERIFIED,
    /** Nothing was published, or what was published is not what was taken. */
    @JsonProperty("Failed")
    FAILED;

    /** Nothing is under way. */
    public boolean isFinal() {
      return this == COMPLETED || this == VERIFIED || this == FAILED;
    }
  }

  /**
   * What was published.
   *
   * @param id name in its repository
   * @param uri of its manifest
   * @param sizeBytes of all that a restore needs of this backup, without those that it builds on
   * @param newBytes that this run sent; the rest was there already
   * @param sha256 of the manifest
   * @param fromRevision first revision in it
   * @param toRevision last revision in it
   * @param clusterID hexadecimal
   * @param version of Kvorum
   * @param contentHash the live member's hash at {@link #contentHashRevision}
   * @param contentHashCompactRevision compact revision that goes with the hash
   * @param previous id of the backup that a delta builds on, empty for a full one
   * @param previousSha256 of that one's manifest
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Artefact(
      @Size(max = 128) String id,
      @Size(max = 1024) String uri,
      Long sizeBytes,
      Long newBytes,
      @Size(max = 64) String sha256,
      Long fromRevision,
      Long toRevision,
      @Size(max = 16) String clusterID,
      @Size(max = 64) String version,
      Long contentHash,
      Long contentHashRevision,
      Long contentHashCompactRevision,
      @Size(max = 128) String previous,
      @Size(max = 64) String previousSha256) {
    public Artefact {
      id = Api.orEmpty(id);
      uri = Api.orEmpty(uri);
      sizeBytes = sizeBytes == null ? 0 : sizeBytes;
      newBytes = newBytes == null ? 0 : newBytes;
      sha256 = Api.orEmpty(sha256);
      fromRevision = fromRevision == null ? 0 : fromRevision;
      toRevision = toRevision == null ? 0 : toRevision;
      clusterID = Api.orEmpty(clusterID);
      version = Api.orEmpty(version);
      previous = Api.orEmpty(previous);
      previousSha256 = Api.orEmpty(previousSha256);
    }
  }

  /**
   * The last comparison of what a restore gives with what was taken.
   *
   * @param at when it ended
   * @param hashMatched the content is equal
   * @param seconds that the restore took
   * @param request {@link KvorumBackup} annotation that asked for it, empty for the specification's wish
   * @param message why it is not equal, or could not be compared
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Verification(
      @Size(max = 64) String at, Long restoredRevision, Boolean hashMatched, Double seconds, @Size(max = Api.NAME) String request,
      @Size(max = Api.MESSAGE) String message) {
    public Verification {
      at = Api.orEmpty(at);
      hashMatched = hashMatched != null && hashMatched;
      request = Api.orEmpty(request);
      message = Api.orEmpty(message);
    }
  }
}
