package io.kvorum.operator.runtime;

import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.backup.BackupAction;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.observe.Observation;
import io.kvorum.operator.observe.Observation.Certificates;
import io.kvorum.operator.observe.StoreState;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.store.StoreAdmin;
import java.util.List;

/**
 * What the members of one cluster run on: Kubernetes, or the processes and folders of one machine. The planner and the executors know nothing below this
 * interface. Every method is idempotent, does one bounded thing, never waits for its effect, and shows the effect in a later {@link #surroundings()}.
 */
public interface ClusterRuntime {

  /** All of an observation but the store's own answers, read now. */
  Observation surroundings();

  /** The store's answers with what only the runtime can tell put in: a member's own configuration hash that is as it should be becomes the template's. */
  StoreState recognise(StoreState answers);

  /** Where each member is reached, whether it runs or not. */
  List<StoreAdmin.Endpoint> endpoints();

  /** The peer URL that a member of this name has or will have. */
  String peerUrl(String member);

  /** Applies what is never disruptive: Services, config, secrets and certificates, disruption budget, growing claims. */
  void applyBase(Observation observation);

  /** Writes the cluster's status when it differs from the stored one and returns what is stored then; a concurrent change makes it fail and ends the pass. */
  KvorumCluster writeStatus(KvorumCluster cluster);

  /** Makes a member object with its finalizer, and its claim. */
  void createMember(Action.CreateMember action);

  /** Writes a member object's status when it differs from the stored one. */
  void writeMember(KvorumMember member);

  /** Writes an operation's status when it differs from the stored one. */
  void writeOperation(KvorumOperation operation);

  /** Makes the member's pod from the current template on its claim. */
  void startPod(Action.StartPod action);

  /** Deletes the pod that has this uid. */
  void deletePod(String member, String uid);

  /** Puts the pod behind the client Service, or takes it away. */
  void serveClients(String member, boolean serve);

  /** Raises a claim's request. */
  void growClaim(String member, long bytes);

  /** Deletes or keeps the claim, then releases and deletes the member object. */
  void releaseMember(String member, boolean keepClaim);

  /** Reads a member's data directory without changing it, while no pod uses it. */
  void inspectData(String member);

  /** Keeps a copy of a member's data under a name of its own, while no pod uses it. */
  void copyClaim(String member);

  /** Makes a KvorumBackup; one of that name is what was wanted. */
  void createBackup(BackupAction.CreateBackup backup);

  /** Deletes a KvorumBackup. */
  void deleteBackup(BackupAction.DeleteBackup backup);

  /** Asks for a verification of a KvorumBackup under a name. */
  void verifyBackup(String backup, String request);

  /** Moves the rotation of certificates one phase on. */
  void rotateCertificates(Certificates.Phase phase);

  /** The password of root from the secret, made when absent. */
  String rootPassword();

  /** Deletes what a deleted cluster still owns and releases its finalizer. */
  void finishDeletion();

  /** Tells the user that something happened: an Event on Kubernetes, a log line on a laptop. */
  void publish(PlannedEvent event);
}
