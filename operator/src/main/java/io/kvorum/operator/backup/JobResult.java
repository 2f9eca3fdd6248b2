package io.kvorum.operator.backup;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.util.Optional;

/**
 * What {@code kvorum backup}, {@code verify} and {@code backup delete} say of their end, as one JSON object. Absent numbers are 0, absent texts empty.
 *
 * @param reason of a failure: one word
 * @param uri of the manifest
 * @param sha256 of the manifest
 * @param clusterID as statuses show it: without leading zeros
 * @param previous id of the backup that a delta builds on
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record JobResult(
    boolean ok, String command, String reason, String message, String id, String type, String uri, String sha256, long sizeBytes, long newBytes,
    long fromRevision, long toRevision, String clusterID, String version, long contentHash, long contentHashRevision, long contentHashCompactRevision,
    String previous, String previousSha256, String member, double seconds, long restoredRevision, boolean hashMatched) {
  /** Reason: the chain cannot take a delta any more. */
  public static final String DELTA_GAP = "DeltaGap";

  /** Reason: what was restored differs from what was taken. */
  public static final String HASH_MISMATCH = "HashMismatch";

  /** Reason: an object of the repository is not what it was. */
  public static final String CONTENT_CORRUPT = "ContentCorrupt";

  /** Reason: the repository is encrypted with another key. */
  public static final String WRONG_KEY = "WrongKey";

  /** Reason: there is no such backup. */
  public static final String NOT_FOUND = "NotFound";

  /** Reason: another backup builds on it. */
  public static final String IN_USE = "InUse";

  private static final ObjectReader READER =
      new ObjectMapper().readerFor(JobResult.class).without(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES);

  public JobResult {
    command = text(command);
    reason = text(reason);
    message = text(message);
    id = text(id);
    type = text(type);
    uri = text(uri);
    sha256 = text(sha256);
    clusterID = text(clusterID).replaceFirst("^0+(?=.)", "");
    version = text(version);
    previous = text(previous);
    previousSha256 = text(previousSha256);
    member = text(member);
  }

  private static String text(String given) {
    return given == null ? "" : given;
  }

  /** The result in a termination message; empty when there is none in it. */
  public static Optional<JobResult> parse(String terminationMessage) {
    try {
      return terminationMessage.startsWith("{") ? Optional.of(READER.readValue(terminationMessage)) : Optional.empty();
    } catch (JsonProcessingException illegible) {
      return Optional.empty();
    }
  }

  /** The artefact or its repository is found wanting; trying again does not help. */
  public boolean damaged() {
    return reason.equals(HASH_MISMATCH) || reason.equals(CONTENT_CORRUPT);
  }
}
