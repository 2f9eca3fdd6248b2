package io.kvorum.operator.observe;

import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSchedule;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumOperation;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * All that one pass decides from: read once, never changed. The planner is a function of this record alone; its clock is {@link #at}.
 *
 * @param at the moment of the observation
 * @param cluster the wanted cluster with the status that was last written
 * @param members the member objects of this cluster
 * @param pods the pods (or processes) that exist, running or not
 * @param claims the volume claims (or folders) that exist
 * @param nodes the nodes that the pods run on, and those that could take one
 * @param operations the unfinished operations of this cluster, oldest first
 * @param data what inspections of data directories found, since quorum was lost
 * @param backups the backups and schedules of the namespace
 * @param store what the store said
 * @param facts what else rungs need to know of the surroundings
 */
public record Observation(
    Instant at, KvorumCluster cluster, List<KvorumMember> members, List<PodState> pods, List<ClaimState> claims, List<NodeState> nodes,
    List<KvorumOperation> operations, List<DataReport> data, Backups backups, StoreState store, Facts facts) {

  public Observation {
    members = List.copyOf(members);
    pods = List.copyOf(pods);
    claims = List.copyOf(claims);
    nodes = List.copyOf(nodes);
    operations = List.copyOf(operations);
    data = List.copyOf(data);
  }

  /**
   * A member's pod, or its process in the local runtime.
   *
   * @param member name of the member; the pod carries the same name
   * @param uid tells this pod from any earlier one of the same name
   * @param templateHash hash of the template it was made from
   * @param version Kvorum version of its image
   * @param ready the readiness probe's verdict
   * @param started all containers run
   * @param terminating deletion was asked for and it is still there
   * @param node node name, empty when not scheduled
   * @param waitingReason why it does not run, e.g. ImagePullBackOff; empty when it runs
   * @param restarts how often the container was restarted
   * @param servesClients it carries the label that puts it behind the client Service
   */
  public record PodState(
      String member, String uid, Instant createdAt, String templateHash, String version, boolean ready, boolean started, boolean terminating,
      String node, String waitingReason, int restarts, boolean servesClients) {}

  /**
   * A member's volume claim.
   *
   * @param member empty for a claim that was kept when its member was removed
   * @param requestedBytes size that the claim asks for
   * @param actualBytes size that the volume has, 0 when not bound
   * @param lost the volume is gone (phase Lost) though the claim exists
   * @param fileSystemResizePending the volume has grown and waits for its pod to restart
   * @param copied a finished copy of its data is kept
   * @param resizeProblem why it does not grow as it was asked to; empty when nothing speaks against it
   */
  public record ClaimState(
      String member, String name, String uid, boolean bound, boolean lost, boolean terminating, long requestedBytes, long actualBytes,
      boolean fileSystemResizePending, boolean copied, Optional<ResizeProblem> resizeProblem) {
    /** Of a claim that grows when asked to. */
    public ClaimState(
        String member, String name, String uid, boolean bound, boolean lost, boolean terminating, long requestedBytes, long actualBytes,
        boolean fileSystemResizePending, boolean copied) {
      this(member, name, uid, bound, lost, terminating, requestedBytes, actualBytes, fileSystemResizePending, copied, Optional.empty());
    }
  }

  /**
   * Why a volume does not grow.
   *
   * @param message for people
   * @param at when it was last tried in vain
   */
  public record ResizeProblem(String message, Instant at) {}

  /**
   * What is left in the data directory of a member that does not run.
   *
   * @param readable false when the data is damaged or absent; the numbers are 0 then
   * @param lastTerm term of the last log entry
   * @param lastIndex index of the last log entry
   * @param revision of the applied state
   */
  public record DataReport(String member, Instant at, boolean readable, long lastTerm, long lastIndex, long revision) {}

  /** The backups and schedules of the namespace, those of other clusters too: a cluster may be restored from any. */
  public record Backups(List<KvorumBackup> all, List<KvorumBackupSchedule> schedules) {
    /** There are none. */
    public static final Backups NONE = new Backups(List.of(), List.of());

    public Backups {
      all = List.copyOf(all);
      schedules = List.copyOf(schedules);
    }
  }

  /**
   * A node.
   *
   * @param present false when a pod names it and it no longer exists
   * @param cordoned it takes no new pods
   * @param noExecute a NoExecute taint that the cluster's pods do not tolerate is on it
   */
  public record NodeState(String name, String zone, boolean present, boolean ready, boolean cordoned, boolean noExecute) {}

  /**
   * Facts about the surroundings.
   *
   * @param templateHash hash of the pod template that the specification now asks for: what every member shares, without names, peers, token and start mode,
   *     and without what changes in place (resources) or is reloaded (options of the configuration file)
   * @param configHash hash that a member reports when it runs with the configuration that the specification now asks for
   * @param templateByUser the template changed because the specification did, and not because the operator is a newer one
   * @param configPublished the configuration is written where members read it
   * @param missingSecrets secrets that the specification names and that do not exist
   * @param certificates the state of the certificates
   * @param holdsLease this operator instance holds its leader lease (guard G1)
   * @param fleetRollouts how many other clusters are being rolled now
   * @param namespaceEnds the namespace is being deleted as well: nothing can be made in it any more
   * @param workloadProblems why workloads that ask for an agent do not get all that they need
   */
  public record Facts(
      String templateHash, boolean templateByUser, String configHash, boolean configPublished, List<String> missingSecrets, Certificates certificates, boolean holdsLease,
      int fleetRollouts, boolean namespaceEnds, List<String> workloadProblems) {
    public Facts {
      missingSecrets = List.copyOf(missingSecrets);
      workloadProblems = List.copyOf(workloadProblems);
    }

    /** In a namespace that stays. */
    public Facts(
        String templateHash, boolean templateByUser, String configHash, boolean configPublished, List<String> missingSecrets, Certificates certificates,
        boolean holdsLease, int fleetRollouts) {
      this(templateHash, templateByUser, configHash, configPublished, missingSecrets, certificates, holdsLease, fleetRollouts, false, List.of());
    }
  }

  /**
   * The certificates that members should now use.
   *
   * @param phase of the certificate authority's rotation
   * @param expected fingerprints that every member must report before the next phase
   */
  public record Certificates(Phase phase, List<Certificate> certificates, List<String> expected) {
    /** Nothing is managed. */
    public static final Certificates NONE = new Certificates(Phase.STABLE, List.of(), List.of());

    public Certificates {
      certificates = List.copyOf(certificates);
      expected = List.copyOf(expected);
    }

    /** Phases of a rotation of the certificate authority, each confirmed by every member's fingerprints before the next. */
    public enum Phase {
      STABLE,
      TRUST_BOTH,
      REISSUE_LEAVES,
      DROP_OLD
    }
  }

  /** A certificate's name and end. */
  public record Certificate(String name, Instant notAfter) {}
}
