package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.BackupSpec;
import io.kvorum.operator.api.KvorumMemberStatus.Phase;
import io.kvorum.operator.backup.BackupAction;
import io.kvorum.operator.backup.Continuous;
import io.kvorum.operator.backup.Retention;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.ClaimState;
import io.kvorum.operator.observe.StoreState.ActiveAlarm;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What disturbs nobody: a voter's missing pod is started, voters go behind the client Service, alarms of members that are gone are disarmed, claims grow one by
 * one (the one that lags least last), deltas are taken by themselves, members take configuration and certificates anew until they report them. Reached when
 * nothing else is to be done, and in passes in which a procedure waits.
 */
public final class Upkeep implements Rung {
  private static final Duration RELOAD_EVERY = Duration.ofSeconds(5);

  /** A claim that was refused more is asked for it again this much later. */
  static final Duration GROW_AGAIN = Duration.ofMinutes(5);

  @Override
  public boolean decide(Situation situation, Draft draft) {
    act(situation, draft, "");
    return draft.acts();
  }

  /** @param busy member that a procedure has in hand and that is left alone */
  void act(Situation situation, Draft draft, String busy) {
    if (!start(situation, draft, busy) && !serve(situation, draft, busy) && !disarm(situation, draft) && !grow(situation, draft)
        && !backups(situation, draft)) {
      reload(situation, draft, busy);
    }
  }

  /** The members go on, while something is waited for before they stop. */
  void keepRunning(Situation situation, Draft draft) {
    start(situation, draft, "");
  }

  /** What the cluster takes by itself; and, when no schedule says what is kept, what is not. */
  private static boolean backups(Situation situation, Draft draft) {
    BackupSpec spec = situation.spec().backup();
    if (spec == null || !spec.continuous()) {
      return false;
    }
    Optional<BackupAction.CreateBackup> due = Continuous.due(situation.at(), situation.cluster(), situation.backups());
    due.ifPresent(run -> draft.act(new Action.CreateBackup(run)));
    String name = situation.cluster().getMetadata().getName();
    boolean scheduled = situation.observation().backups().schedules().stream().anyMatch(schedule -> schedule.getSpec().clusterRef().equals(name));
    if (due.isEmpty() && !scheduled) {
      new Retention(situation.at(), name, situation.backups(), List.of()).deletable().stream().findFirst()
          .ifPresent(old -> draft.act(new Action.DeleteBackup(new BackupAction.DeleteBackup(old.getMetadata().getName(), old.getMetadata().getUid()))));
    }
    return draft.acts();
  }

  /** A voter without a pod does not wait for the procedure of another one. */
  private static boolean start(Situation situation, Draft draft, String busy) {
    Optional<MemberView> missing =
        situation.voters().stream().filter(voter -> voter.pod().isEmpty() && !voter.volumeLost() && !voter.name().equals(busy)).findFirst();
    missing.ifPresent(voter -> {
      draft.event(EventReason.POD_RECREATED, voter.name(), voter.name() + " had no pod");
      draft.act(new Action.StartPod(voter.name(), situation.initialPeers(), voter.spec().clusterToken(), Action.StartMode.EXISTING));
    });
    return missing.isPresent();
  }

  private static boolean serve(Situation situation, Draft draft, String busy) {
    for (MemberView voter : situation.voters()) {
      boolean settled = !voter.name().equals(busy) && !voter.deletedByUser();
      if (settled && voter.status().phase() != Phase.VOTING) {
        draft.phase(voter.name(), Phase.VOTING);
      }
      if (settled && voter.podReady() && !voter.pod().get().servesClients()) {
        draft.act(new Action.ServeClients(voter.name(), true));
        return true;
      }
    }
    return false;
  }

  /** An alarm of a member that is gone, which a recovery or a restore has left: nobody else would ever disarm it. */
  private static boolean disarm(Situation situation, Draft draft) {
    Optional<ActiveAlarm> left = situation.observation().store().alarms().stream()
        .filter(alarm -> situation.observation().store().membership()
            .filter(list -> list.members().stream().noneMatch(member -> member.id() == alarm.memberId())).isPresent())
        .findFirst();
    left.ifPresent(alarm -> draft.act(new Action.DisarmAlarm(alarm.memberId(), alarm.kind().name())));
    return left.isPresent();
  }

  private static boolean grow(Situation situation, Draft draft) {
    long wanted = situation.spec().storage().bytes();
    List<MemberView> small = situation.members().stream()
        .filter(member -> member.claim()
            .map(claim -> claim.bound() && claim.requestedBytes() < wanted && !claim.lost() && !claim.terminating() && !refused(situation, claim)).orElse(false))
        .toList();
    Optional<MemberView> growing = situation.members().stream().filter(member -> member.claim().map(Upkeep::grows).orElse(false)).findFirst();
    if (growing.isPresent() && draft.progress() == Reason.STABLE) {
      draft.progress(Reason.RESIZING_VOLUMES, "the volume of " + growing.get().name() + " grows");
    }
    if (small.isEmpty() || growing.isPresent()) {
      return false;
    }
    MemberView next = small.stream().max(Comparator.comparing(member -> situation.lag(member).orElse(Long.MAX_VALUE))).orElseThrow();
    if (draft.progress() == Reason.STABLE) {
      draft.progress(Reason.RESIZING_VOLUMES, "the volume of " + next.name() + " grows");
    }
    draft.event(EventReason.VOLUME_GROWING, next.name(), next.name() + " asks for " + wanted + " bytes");
    draft.act(new Action.GrowClaim(next.name(), wanted));
    return true;
  }

  private static boolean refused(Situation situation, ClaimState claim) {
    return claim.resizeProblem().map(problem -> situation.at().isBefore(problem.at().plus(GROW_AGAIN))).orElse(false);
  }

  private static boolean grows(ClaimState claim) {
    return claim.bound() && !claim.lost() && claim.actualBytes() < claim.requestedBytes() && !claim.fileSystemResizePending();
  }

  /** One after the other, and another each time: one that never takes it does not keep the rest from it. */
  private static void reload(Situation situation, Draft draft, String busy) {
    List<MemberView> stale = situation.members().stream().filter(member -> !member.name().equals(busy) && stale(situation, member)).toList();
    if (stale.isEmpty()) {
      return;
    }
    if (draft.progress() == Reason.STABLE) {
      draft.progress(Reason.CONFIGURING, "taking the configuration anew: " + stale.size() + " members");
    }
    String next = stale.get((int) (situation.at().getEpochSecond() % stale.size())).name();
    draft.event(EventReason.CONFIG_RELOADED, next, next + " is asked to take its configuration anew");
    draft.act(new Action.Reload(next));
    draft.requeue(RELOAD_EVERY);
  }

  private static boolean stale(Situation situation, MemberView member) {
    if (!member.podReady() || member.answer().isEmpty() || situation.outdated(member)) {
      return false;
    }
    boolean config = situation.facts().configPublished() && !situation.facts().configHash().isEmpty()
        && !member.answer().get().configHash().equals(situation.facts().configHash());
    return config || !CertificatePhases.uses(member, situation.facts().certificates());
  }
}
