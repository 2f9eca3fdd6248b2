package io.kvorum.operator.plan;

import io.kvorum.operator.api.KvorumMemberSpec.JoinMode;
import io.kvorum.operator.backup.BackupAction;
import io.kvorum.operator.desired.SeedRestore;
import io.kvorum.operator.observe.Observation.Certificates;
import java.util.List;
import java.util.Optional;

/**
 * One step that changes something. Every action is idempotent: carried out again after a crash at any point it finds what is already done and
 * does the rest.
 */
public sealed interface Action {

  /** The member that is touched; empty when the action is about the whole cluster. */
  default String member() {
    return "";
  }

  /** Makes the member object (phase Pending, with its finalizer) and its volume claim. */
  record CreateMember(String member, int ordinal, JoinMode joinMode, String clusterToken) implements Action {}

  /** Adds the member to the cluster as a learner by its peer URL; when the URL is already registered its id is taken over. */
  record AddLearner(String member, String peerUrl) implements Action {}

  /**
   * Writes the initial peers into the member object, once (a member object that has some keeps them), and makes its pod on its claim.
   *
   * @param initialPeers {@code name=url} of every member, this one included
   * @param clusterToken the member object's own, but after a quorum recovery the new one
   * @param restore its data directory is made from a backup first; one that is complete already stays as it is
   */
  record StartPod(String member, List<String> initialPeers, String clusterToken, StartMode mode, Optional<SeedRestore> restore) implements Action {
    public StartPod {
      initialPeers = List.copyOf(initialPeers);
    }

    /** From what is in the volume. */
    public StartPod(String member, List<String> initialPeers, String clusterToken, StartMode mode) {
      this(member, initialPeers, clusterToken, mode, Optional.empty());
    }
  }

  /** Promotes a learner that has caught up. */
  record Promote(String member, long memberId) implements Action {}

  /** Asks the leader to hand over; the engine has written target and term into the status before. */
  record TransferLeader(String from, long fromId, String to, long toId, long term) implements Action {
    @Override
    public String member() {
      return from;
    }
  }

  /** Takes the member's pod out of the client Service, or puts it back. */
  record ServeClients(String member, boolean serve) implements Action {}

  /** Removes the member from the cluster, asked of a remaining voter; not found is done. Its alarms are disarmed as well. */
  record RemoveMember(String member, long memberId) implements Action {}

  /** Deletes the pod that has this uid, with normal grace. */
  record DeletePod(String member, String uid, String reason) implements Action {}

  /**
   * Ends the member object: its claim is deleted or, labelled with the old member id, kept; then its finalizer is released and the object deleted.
   */
  record ReleaseMember(String member, boolean keepClaim) implements Action {}

  /** Has the member re-read its configuration and certificates. */
  record Reload(String member) implements Action {}

  /** Compacts the history up to a revision. */
  record Compact(long revision) implements Action {}

  /** Reclaims a member's space. */
  record Defragment(String member) implements Action {}

  /** Disarms an alarm. */
  record DisarmAlarm(long memberId, String alarm) implements Action {}

  /** Raises a claim's request. */
  record GrowClaim(String member, long bytes) implements Action {}

  /** Creates root with its credentials and enables authentication. */
  record EnableAuth() implements Action {}

  /** Switches authentication off with root's credentials; users and roles stay. */
  record DisableAuth() implements Action {}

  /** Begins to hash these members' data at a revision, one after the other; what comes of it is in a later observation. */
  record CompareData(List<String> members, long revision) implements Action {
    public CompareData {
      members = List.copyOf(members);
    }
  }

  /**
   * Moves the rotation of certificates to this phase; TRUST_BOTH begins one, STABLE ends it. Leaves alone are renewed by REISSUE_LEAVES out of
   * STABLE.
   */
  record RotateCertificates(Certificates.Phase phase) implements Action {}

  /**
   * Reads what is left in the data directory of a member whose pod is gone; the answer is a {@link
   * io.kvorum.operator.observe.Observation.DataReport}.
   */
  record InspectData(String member) implements Action {}

  /** Keeps a copy of the survivor's data before it is forced into a cluster of its own; shown as {@code copied} of its claim. */
  record CopyClaim(String member) implements Action {}

  /** Has a backup taken beside everything else. */
  record CreateBackup(BackupAction.CreateBackup backup) implements Action {}

  /** Deletes a backup that nobody wants to keep. */
  record DeleteBackup(BackupAction.DeleteBackup backup) implements Action {}

  /** Asks for a verification of a backup under a name, which its status repeats in the answer. */
  record VerifyBackup(String backup, String request) implements Action {}

  /** Deletes what a deleted cluster still owns, then releases its finalizer. */
  record FinishDeletion() implements Action {}

  /** How a pod starts. */
  enum StartMode {
    /** A new cluster of one member, on an empty volume. */
    NEW,
    /** A member of an existing cluster. */
    EXISTING,
    /** Alone, from the data it has, with a forced membership of one and a new cluster token. */
    FORCE_NEW_CLUSTER
  }
}
