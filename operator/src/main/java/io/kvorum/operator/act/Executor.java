package io.kvorum.operator.act;

import io.kvorum.operator.observe.Observation;
import io.kvorum.operator.observe.StoreState;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.runtime.ClusterRuntime;
import io.kvorum.operator.store.StoreAdmin;
import io.kvorum.operator.store.StoreAdmin.Endpoint;
import io.kvorum.operator.store.StoreAdmin.StoreException;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Carries out one action through the runtime and the store. Nothing here decides: an action is carried out as it is, finds what an interrupted attempt has
 * done already, and waits for no effect, which a later observation shows.
 */
public final class Executor {
  private final ClusterRuntime runtime;
  private final StoreAdmin store;

  public Executor(ClusterRuntime runtime, StoreAdmin store) {
    this.runtime = runtime;
    this.store = store;
  }

  /**
   * Does it.
   *
   * @param seen the observation that the action was planned from
   * @throws StoreException when the store did not do its part
   */
  public void execute(Action action, Observation seen) throws StoreException {
    switch (action) {
      case Action.CreateMember create -> runtime.createMember(create);
      case Action.AddLearner add -> store.addLearner(voters(seen, ""), add.peerUrl());
      case Action.StartPod start -> runtime.startPod(start);
      case Action.Promote promote -> store.promote(voters(seen, promote.member()), promote.memberId());
      case Action.TransferLeader transfer -> store.moveLeader(endpoint(transfer.from()), transfer.toId());
      case Action.ServeClients serve -> runtime.serveClients(serve.member(), serve.serve());
      case Action.RemoveMember remove -> remove(remove, seen);
      case Action.DeletePod delete -> runtime.deletePod(delete.member(), delete.uid());
      case Action.ReleaseMember release -> runtime.releaseMember(release.member(), release.keepClaim());
      case Action.Reload reload -> store.reload(endpoint(reload.member()));
      case Action.Compact compact -> store.compact(voters(seen, ""), compact.revision());
      case Action.Defragment defragment -> store.defragment(endpoint(defragment.member()));
      case Action.DisarmAlarm disarm ->
          store.disarm(voters(seen, ""), new StoreState.ActiveAlarm(disarm.memberId(), StoreState.ActiveAlarm.Kind.valueOf(disarm.alarm())));
      case Action.GrowClaim grow -> runtime.growClaim(grow.member(), grow.bytes());
      case Action.EnableAuth enable -> store.enableAuth(voters(seen, ""), runtime.rootPassword());
      case Action.DisableAuth disable -> store.disableAuth(voters(seen, ""));
      case Action.CompareData compare ->
          store.compareData(compare.members().stream().map(this::find).flatMap(Optional::stream).toList(), compare.revision());
      case Action.RotateCertificates rotate -> runtime.rotateCertificates(rotate.phase());
      case Action.CopyClaim copy -> runtime.copyClaim(copy.member());
      case Action.InspectData inspect -> runtime.inspectData(inspect.member());
      case Action.CreateBackup create -> runtime.createBackup(create.backup());
      case Action.DeleteBackup delete -> runtime.deleteBackup(delete.backup());
      case Action.VerifyBackup verify -> runtime.verifyBackup(verify.backup(), verify.request());
      case Action.FinishDeletion finish -> runtime.finishDeletion();
    }
  }

  private void remove(Action.RemoveMember remove, Observation seen) throws StoreException {
    List<Endpoint> others = voters(seen, remove.member());
    // An alarm of a member that is gone could never be disarmed by its own recovery.
    for (StoreState.ActiveAlarm alarm : seen.store().alarms()) {
      if (alarm.memberId() == remove.memberId()) {
        store.disarm(others, alarm);
      }
    }
    store.removeMember(others, remove.memberId());
  }

  /** The voters that answered, the leader first, without one of them. */
  private List<Endpoint> voters(Observation seen, String without) {
    return seen.store().answers().stream()
        .filter(answer -> !answer.learner() && !answer.member().equals(without))
        .sorted(Comparator.comparing(answer -> answer.memberId() != answer.leaderId()))
        .map(answer -> find(answer.member()))
        .flatMap(Optional::stream)
        .toList();
  }

  private Endpoint endpoint(String member) throws StoreException {
    return find(member).orElseThrow(() -> new StoreException(StoreException.Reason.UNAVAILABLE, "member " + member + " has no address"));
  }

  private Optional<Endpoint> find(String member) {
    return runtime.endpoints().stream().filter(endpoint -> endpoint.member().equals(member)).findFirst();
  }
}
