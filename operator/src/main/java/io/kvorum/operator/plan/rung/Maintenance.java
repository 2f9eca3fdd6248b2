package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.CurrentAction.Type;
import io.kvorum.operator.api.MaintenanceSpec;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Schedules;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.Steps;
import io.kvorum.operator.plan.procedure.Defragment;
import io.kvorum.operator.plan.procedure.Once;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;

/** Rung 16: compaction and reclaiming of space by schedule. Missed runs are one; space is reclaimed in
 * maintenance windows only; members that would give little back are left alone. */
public final class Maintenance implements Rung {
  @Override
  public boolean decide(Situation situation, Draft draft) {
    if (!situation.mayBegin()) {
      return false;
    }
    Instant created = Instant.parse(situation.cluster().getMetadata().getCreationTimestamp());
    return compact(situation, created, draft) || defragment(situation, created, draft);
  }

  private static boolean compact(Situation situation, Instant created, Draft draft) {
    MaintenanceSpec.Compaction compaction = situation.spec().maintenance().compaction();
    if (compaction == null || !Schedules.due(compaction.schedule(), compaction.timeZone(), Api.time(draft.memory().lastCompaction), created, situation.at())) {
      return false;
    }
    long newest = situation.leading().flatMap(MemberView::answer).map(MemberAnswer::revision).orElse(0L);
    draft.memory().lastCompaction = Api.time(situation.at());
    long revision = newest - compaction.keepRevisions();
    if (revision <= 1) {
      return false;
    }
    CurrentAction action =
        Steps.begin(Type.COMPACT, "", Once.DO, situation.at(), Duration.ofHours(1), "", "scheduled compaction up to revision " + revision);
    draft.current(action);
    new Once().advance(situation, action, draft);
    return true;
  }

  private static boolean defragment(Situation situation, Instant created, Draft draft) {
    MaintenanceSpec.Defragmentation wish = situation.spec().maintenance().defragmentation();
    if (wish == null || !Schedules.due(wish.schedule(), wish.timeZone(), Api.time(draft.memory().lastDefragmentation), created, situation.at())) {
      return false;
    }
    boolean open = Schedules.open(situation.spec().update().maintenanceWindows(), situation.at());
    if (!open || situation.healthyVoters().size() < situation.voterCount() || situation.voters().stream().anyMatch(situation::backupSource)) {
      // Still due when a window is open, all are well again and nobody reads a backup.
      return false;
    }
    draft.memory().lastDefragmentation = Api.time(situation.at());
    Set<String> worth = new HashSet<>();
    for (MemberView voter : situation.voters()) {
      if (voter.answer().filter(answer -> worthIt(answer, wish)).isPresent()) {
        worth.add(voter.name());
      }
    }
    if (worth.isEmpty()) {
      return false;
    }
    Defragment.begin(situation, draft, worth, "", "by schedule");
    return true;
  }

  private static boolean worthIt(MemberAnswer answer, MaintenanceSpec.Defragmentation wish) {
    long free = answer.databaseBytes() - answer.inUseBytes();
    return free >= wish.minReclaim().getNumericalAmount().longValue() && free * 100 >= answer.databaseBytes() * wish.fragmentationAbove();
  }
}
