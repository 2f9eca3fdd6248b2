package io.kvorum.operator.workload;

import static io.kvorum.operator.workload.VerdictTest.declared;
import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.InjectionSpec;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import io.kvorum.operator.workload.Permission.Access;
import io.kvorum.operator.workload.WorkloadObservation.Owner;
import io.kvorum.operator.workload.WorkloadObservation.PodSeen;
import io.kvorum.operator.workload.WorkloadObservation.SecretSeen;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** One row a sentence: what was seen, what is done. */
class WorkloadPlannerTest {
  private static final ClusterRef KV = new ClusterRef("db", "kv");
  private static final ClusterRef OTHER = new ClusterRef("db", "other");
  private static final Workload WEB = new Workload("db", "web");
  private static final SecretSeen GOOD = new SecretSeen(Optional.of(KV), true, true);
  private static final Permission SERVICES = Permission.prefix("services/", Access.READ);
  private static final Permission A = Permission.prefix("a/", Access.READWRITE);
  private static final Permission B = Permission.prefix("b/", Access.READWRITE);

  private final List<PodSeen> pods = new ArrayList<>();
  private final Map<Workload, SecretSeen> secrets = new HashMap<>();
  private final Map<String, Set<String>> users = new HashMap<>();
  private final Map<String, Set<Permission>> roles = new HashMap<>();
  private final Set<String> proven = new HashSet<>();
  private final Map<Workload, Owner> owners = new HashMap<>();
  private InjectionSpec injection = InjectionSpec.DEFAULTS;
  private boolean wantsUsers = true;
  private boolean answers = true;
  private Set<String> watched = Set.of();

  @Test
  void aNewWorkloadGetsItsSecretFirstThenRoleThenUser() {
    pod("web-1", "a/", 1);

    assertThat(plan()).containsExactly(
        "WriteSecret db/web true", "AddRole db/web", "Grant db/web " + SERVICES, "Grant db/web " + A, "AddUser db/web", "GiveRole db/web");
  }

  @Test
  void aServedWorkloadGetsNothingMore() {
    pod("web-1", "a/", 1);
    served(SERVICES, A);

    assertThat(plan()).isEmpty();
  }

  @Test
  void aRolloutHasTheUnionAndIsNarrowedAfterIt() {
    pod("web-1", "a/", 1);
    pod("web-2", "b/", 2);
    served(SERVICES, A);
    assertThat(plan()).containsExactly("Grant db/web " + B);

    pods.removeFirst();
    served(SERVICES, A, B);
    assertThat(plan()).containsExactly("Revoke db/web " + A);
  }

  @Test
  void anotherAccessToTheSameRangeIsGrantedAnewAndNotRevoked() {
    pod("web-1", "a/", 1);
    served(SERVICES, Permission.prefix("a/", Access.READ));

    assertThat(plan()).containsExactly("Grant db/web " + A);
  }

  @Test
  void whatSomebodyElseGaveTheUserIsTakenAgain() {
    pod("web-1", "a/", 1);
    served(SERVICES, A, B);
    users.put(WEB.user(), Set.of(WEB.user(), "root"));

    assertThat(plan()).containsExactly("Revoke db/web " + B, "TakeRole db/web root");
  }

  @Test
  void aPasswordIsProvenOnceToEachCluster() {
    pod("web-1", "a/", 1);
    served(SERVICES, A);
    proven.clear();

    assertThat(plan()).containsExactly("Prove db/web");
  }

  @Test
  void aClusterThatWasMadeAnewGetsTheUserWithTheSecretAsItIs() {
    pod("web-1", "a/", 1);
    secrets.put(WEB, GOOD);

    assertThat(plan()).containsExactly("AddRole db/web", "Grant db/web " + SERVICES, "Grant db/web " + A, "AddUser db/web", "GiveRole db/web");
  }

  @Test
  void anInterruptedAdmissionGoesOn() {
    pod("web-1", "a/", 1);
    secrets.put(WEB, GOOD);
    roles.put(WEB.user(), Set.of(SERVICES));
    users.put(WEB.user(), Set.of());
    proven.add(WEB.user());

    assertThat(plan()).containsExactly("Grant db/web " + A, "GiveRole db/web");
  }

  @Test
  void withoutUsersThereIsOnlyASecret() {
    wantsUsers = false;
    pod("web-1", "a/", 1);

    assertThat(plan()).containsExactly("WriteSecret db/web false");
    secrets.put(WEB, new SecretSeen(Optional.of(KV), false, true));
    assertThat(plan()).isEmpty();
  }

  @Test
  void usersThatAreSwitchedOnLaterComeToTheSecretToo() {
    pod("web-1", "a/", 1);
    secrets.put(WEB, new SecretSeen(Optional.of(KV), false, true));

    assertThat(plan()).startsWith("WriteSecret db/web true", "AddRole db/web");
  }

  @Test
  void aRotatedAuthorityIsWrittenAndNothingElse() {
    pod("web-1", "a/", 1);
    served(SERVICES, A);
    secrets.put(WEB, new SecretSeen(Optional.of(KV), true, false));

    assertThat(plan()).containsExactly("WriteSecret db/web true");
  }

  @Test
  void withoutAnAnswerOfTheStoreTheSecretIsWrittenAhead() {
    answers = false;
    pod("web-1", "a/", 1);

    assertThat(plan()).containsExactly("WriteSecret db/web true");
  }

  @Test
  void theLastPodGoneAndNoOwnerLeftEverythingGoesTheSecretLast() {
    served(SERVICES, A);
    owners.put(WEB, new Owner(true, List.of()));

    assertThat(plan()).containsExactly("RemoveUser db/web", "RemoveRole db/web", "DeleteSecret db/web");
  }

  @Test
  void aPodThatHasEndedForGoodIsNoneAnyMore() {
    pods.add(new PodSeen(WEB, "web-1", "web-1", Instant.EPOCH, true, declared("db", "a/", "")));
    served(SERVICES, A);
    owners.put(WEB, new Owner(true, List.of()));

    assertThat(plan()).contains("RemoveUser db/web");
  }

  @Test
  void aRevocationThatWasInterruptedIsFoundByWhatIsLeft() {
    owners.put(WEB, new Owner(true, List.of()));
    roles.put(WEB.user(), Set.of(A));
    assertThat(plan()).containsExactly("RemoveRole db/web");

    roles.clear();
    secrets.put(WEB, GOOD);
    assertThat(plan()).containsExactly("DeleteSecret db/web");
  }

  @Test
  void aRevocationWaitsForTheStoreSinceTheSecretNamesWhatIsLeft() {
    served(SERVICES, A);
    owners.put(WEB, new Owner(true, List.of()));
    answers = false;

    assertThat(plan()).isEmpty();
  }

  @Test
  void aDeploymentOfNoReplicasKeepsItsUserWithWhatItsTemplateDeclares() {
    served(SERVICES, A);
    owners.put(WEB, new Owner(true, List.of(declared("db", "a/", ""))));
    assertThat(plan()).isEmpty();

    owners.put(WEB, new Owner(true, List.of(declared("db", "b/", ""))));
    assertThat(plan()).containsExactly("Grant db/web " + B, "Revoke db/web " + A);
  }

  @Test
  void anOwnerThatNoLongerAsksOrAsksAnotherClusterIsNone() {
    served(SERVICES, A);
    owners.put(WEB, new Owner(true, List.of(new Declaration("db", OTHER, Set.of("a/"), ""))));

    assertThat(plan()).startsWith("RemoveUser db/web");
  }

  @Test
  void nothingIsDoneWhileTheOwnerCouldNotBeLookedUp() {
    served(SERVICES, A);
    owners.put(WEB, new Owner(false, List.of()));

    assertThat(planned().actions()).isEmpty();
    assertThat(planned().problems()).containsExactly("db/web: its owner could not be looked up");
  }

  @Test
  void aPodThatAsksForTooMuchGetsNothingAndIsTold() {
    Workload far = new Workload("web", "far");
    pods.add(new PodSeen(far, "far-1", "far-1", Instant.EPOCH, false, declared("web", "a/", "")));

    WorkloadPlan plan = planned();

    assertThat(plan.actions()).isEmpty();
    assertThat(plan.refusals()).extracting(refusal -> refusal.pod().name()).containsExactly("far-1");
    assertThat(plan.problems()).containsExactly("web/far: spec.injection of db/kv does not list the namespace web");
  }

  @Test
  void aPodOfARolloutThatAsksForTooMuchLeavesTheOldOnesWhatTheyHave() {
    injection = new InjectionSpec(true, List.of(new InjectionSpec.Allowed("web", List.of("a/"))));
    Workload far = new Workload("web", "far");
    pods.add(new PodSeen(far, "far-1", "far-1", Instant.EPOCH, false, declared("web", "a/", "")));
    pods.add(new PodSeen(far, "far-2", "far-2", Instant.EPOCH, false, declared("web", "a/,b/", "")));
    served(far, SERVICES, A);

    assertThat(plan()).isEmpty();
    assertThat(planned().refusals()).hasSize(1);
  }

  @Test
  void injectionThatIsSwitchedOffTakesAllUsersAway() {
    injection = new InjectionSpec(false, List.of());
    pod("web-1", "a/", 1);
    served(SERVICES, A);
    owners.put(WEB, new Owner(true, List.of(declared("db", "a/", ""))));

    assertThat(plan()).containsExactly("RemoveUser db/web", "RemoveRole db/web", "DeleteSecret db/web");
  }

  @Test
  void otherUsersAndThoseOfUnwatchedNamespacesAreLeftAlone() {
    watched = Set.of("db");
    users.put("root", Set.of("root"));
    users.put("agent:strange", Set.of());
    users.put("agent:far:web", Set.of());
    roles.put("agent:far:web", Set.of(A));

    assertThat(plan()).isEmpty();
  }

  @Test
  void theNewestPodSaysWhoseTheSecretIs() {
    pod("web-1", "a/", 1);
    served(SERVICES, A);
    secrets.put(WEB, new SecretSeen(Optional.of(OTHER), true, true));
    pods.add(new PodSeen(WEB, "web-2", "web-2", Instant.ofEpochSecond(2), false, new Declaration("db", OTHER, Set.of(), "")));
    assertThat(plan()).isEmpty();

    pod("web-3", "a/", 3);
    assertThat(plan()).containsExactly("WriteSecret db/web true");
  }

  @Test
  void aSecretThatTheOperatorDidNotMakeIsNotTouched() {
    pod("web-1", "a/", 1);
    secrets.put(WEB, new SecretSeen(Optional.empty(), true, true));

    assertThat(planned().actions()).isEmpty();
    assertThat(planned().problems()).containsExactly("db/web: the Secret kvorum-agent-web is not the operator's");
  }

  @Test
  void aUserWhoseSecretWasDeletedGetsANewOneWithItsNextPod() {
    served(SERVICES, A);
    secrets.clear();
    owners.put(WEB, new Owner(true, List.of(declared("db", "a/", ""))));
    assertThat(plan()).containsExactly("RemoveUser db/web", "RemoveRole db/web");

    pod("web-1", "a/", 1);
    assertThat(plan()).containsExactly("WriteSecret db/web true");
  }

  @Test
  void onePassIsBoundedAndSaysThatThereIsMore() {
    IntStream.range(0, 100)
        .forEach(i -> pods.add(new PodSeen(new Workload("db", "w" + i), "w" + i, "w" + i, Instant.EPOCH, false, declared("db", "a/", ""))));

    assertThat(planned().actions()).hasSize(WorkloadPlanner.ACTIONS_MAX);
    assertThat(planned().more()).isTrue();
  }

  private void pod(String name, String prefixes, int second) {
    pods.add(new PodSeen(WEB, name, name, Instant.ofEpochSecond(second), false, declared("db", prefixes, "")));
  }

  private void served(Permission... permissions) {
    served(WEB, permissions);
  }

  private void served(Workload workload, Permission... permissions) {
    secrets.put(workload, GOOD);
    users.put(workload.user(), Set.of(workload.user()));
    roles.put(workload.user(), Set.of(permissions));
    proven.add(workload.user());
  }

  private WorkloadPlan planned() {
    Optional<Users> read = answers ? Optional.of(new Users(1, true, users, roles)) : Optional.empty();
    WorkloadObservation seen = new WorkloadObservation(KV, injection, wantsUsers, pods, secrets, read, proven, watched, Map.of());
    WorkloadPlanner planner = new WorkloadPlanner();
    Map<Workload, Owner> asked = planner.undecided(seen).stream().filter(owners::containsKey).collect(Collectors.toMap(one -> one, owners::get));
    return planner.plan(seen.withOwners(asked));
  }

  private List<String> plan() {
    return planned().actions().stream().map(WorkloadPlannerTest::text).toList();
  }

  private static String text(WorkloadAction action) {
    String name = action.getClass().getSimpleName() + " " + action.workload();
    return switch (action) {
      case WorkloadAction.WriteSecret one -> name + " " + one.credentials();
      case WorkloadAction.Grant one -> name + " " + one.permission();
      case WorkloadAction.Revoke one -> name + " " + one.permission();
      case WorkloadAction.TakeRole one -> name + " " + one.role();
      default -> name;
    };
  }
}
