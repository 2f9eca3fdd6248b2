package io.kvorum.operator.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.observe.StoreState;
import io.kvorum.operator.observe.StoreState.ActiveAlarm;
import io.kvorum.operator.observe.StoreState.ListedMember;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import io.kvorum.operator.observe.StoreState.MemberList;
import io.kvorum.operator.store.StoreAdmin;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/**
 * The rules of membership, without consensus itself: who is in the list, who is up, who leads, how far each has applied. It refuses what a real cluster
 * refuses, and fails the test on what must never be asked of one.
 */
final class ModelStore implements StoreAdmin {
  /** A member as the cluster knows it. */
  static final class Entry {
    final long id;
    final String url;
    boolean learner;
    boolean started;
    long applied;

    Entry(long id, String url, boolean learner) {
      this.id = id;
      this.url = url;
      this.learner = learner;
    }

    /** By the model's convention the peer URL ends in the member's name. */
    String name() {
      return url.substring(url.lastIndexOf('/') + 1);
    }
  }

  final Map<String, Entry> list = new TreeMap<>();
  final List<ActiveAlarm> alarms = new ArrayList<>();
  private final ModelWorld world;
  private final Random random;
  long clusterId;
  long leader;
  long term;
  long index = 100;
  boolean authEnabled;
  int transfers;
  private long nextId = 1000;

  ModelStore(ModelWorld world, Random random) {
    this.world = world;
    this.random = random;
  }

  /** A seed forms the cluster. */
  void form(String name, String url) {
    assertThat(clusterId).as("a new cluster is formed once").isZero();
    clusterId = 0xc0ffee;
    Entry entry = new Entry(nextId++, url, false);
    entry.started = true;
    entry.applied = index;
    list.put(name, entry);
  }

  /** One member goes on alone. */
  void force(String name) {
    assertThat(quorum()).as("nothing is forced while there is a quorum").isFalse();
    Entry survivor = list.get(name);
    survivor.learner = false;
    list.clear();
    list.put(name, survivor);
    index = survivor.applied;
    clusterId++;
    leader = 0;
  }

  /** A member that was made from a backup begins a cluster of its own. */
  void restored(String name, String url, long revision) {
    assertThat(revision).as("revisions do not go back for those who saw them").isGreaterThan(clusterId == 0 ? 0 : index);
    clusterId = clusterId == 0 ? 0xbac : clusterId + 1;
    list.clear();
    leader = 0;
    index = revision;
    Entry entry = new Entry(nextId++, url, false);
    entry.started = true;
    entry.applied = index;
    list.put(name, entry);
  }

  /** It is in the list, its process runs and reaches the others. */
  boolean up(String name) {
    return list.containsKey(name) && world.running(name);
  }

  long voters() {
    return list.values().stream().filter(entry -> !entry.learner).count();
  }

  long upVoters() {
    return list.entrySet().stream().filter(entry -> !entry.getValue().learner && up(entry.getKey())).count();
  }

  boolean quorum() {
    return voters() > 0 && upVoters() >= voters() / 2 + 1;
  }

  boolean leads(String name) {
    return list.containsKey(name) && list.get(name).id == leader;
  }

  /** Time passes: an election when one is due, entries, and followers that catch up. */
  void tick() {
    boolean leads = list.entrySet().stream().anyMatch(entry -> entry.getValue().id == leader && !entry.getValue().learner && up(entry.getKey()));
    if (!leads) {
      leader = 0;
      if (quorum()) {
        leader = list.entrySet().stream().filter(entry -> !entry.getValue().learner && up(entry.getKey())).map(Map.Entry::getValue)
            .max(Comparator.comparing(entry -> entry.applied)).orElseThrow().id;
        term++;
      }
    }
    if (leader != 0 && quorum()) {
      index += random.nextInt(200);
      list.forEach((name, entry) -> {
        if (up(name)) {
          entry.started = true;
          entry.applied = entry.learner ? Math.min(index, Math.max(entry.applied, index - 5000) + 400 + random.nextInt(2000)) : index;
        }
      });
    }
  }

  /** Leadership changes by itself. */
  void elect() {
    list.entrySet().stream().filter(entry -> !entry.getValue().learner && up(entry.getKey()) && entry.getValue().id != leader).findFirst().ifPresent(entry -> {
      leader = entry.getValue().id;
      term++;
    });
  }

  @Override
  public StoreState observe(List<Endpoint> members) {
    List<MemberAnswer> answers = new ArrayList<>();
    for (Endpoint endpoint : members) {
      Entry entry = list.get(endpoint.member());
      if (entry != null && up(endpoint.member()) && entry.started && !world.mute(endpoint.member())) {
        answers.add(new MemberAnswer(
            endpoint.member(), world.now(), clusterId, entry.id, quorum() ? leader : 0, term, term, entry.applied, entry.applied, entry.applied, 1000, 900,
            entry.learner, true, world.version(endpoint.member()), "3.6.0", world.configOf(endpoint.member()), Set.of(), List.of()));
      }
    }
    boolean readable = quorum() && leader != 0 && !answers.isEmpty();
    return new StoreState(
        answers,
        readable ? Optional.of(new MemberList(clusterId, list.values().stream().map(ModelStore::listed).toList())) : Optional.empty(),
        readable ? alarms : List.of(), readable ? Optional.of(authEnabled) : Optional.empty());
  }

  private static ListedMember listed(Entry entry) {
    return new ListedMember(entry.id, entry.started ? entry.name() : "", List.of(entry.url), List.of(), entry.learner);
  }

  private void must() throws StoreException {
    if (!quorum() || leader == 0 || world.refuses()) {
      throw new StoreException(StoreException.Reason.UNAVAILABLE, "no answer");
    }
  }

  @Override
  public long addLearner(List<Endpoint> through, String peerUrl) throws StoreException {
    must();
    Optional<Entry> present = list.values().stream().filter(entry -> entry.url.equals(peerUrl)).findFirst();
    if (present.isEmpty()) {
      assertThat(list.values().stream().filter(entry -> entry.learner)).as("one learner at a time").isEmpty();
      assertThat(world.down()).as("no member is added while another is restarted").isEmpty();
      Entry entry = new Entry(nextId++, peerUrl, true);
      list.put(entry.name(), entry);
      return entry.id;
    }
    return present.get().id;
  }

  @Override
  public void promote(List<Endpoint> through, long memberId) throws StoreException {
    must();
    Entry entry = byId(memberId).orElseThrow(() -> new StoreException(StoreException.Reason.REFUSED, "not found"));
    if (entry.learner && (!up(entry.name()) || entry.applied < index * 9 / 10)) {
      throw new StoreException(StoreException.Reason.NOT_READY, "not in sync");
    }
    entry.learner = false;
  }

  @Override
  public void removeMember(List<Endpoint> through, long memberId) throws StoreException {
    must();
    Optional<Entry> entry = byId(memberId);
    if (entry.isEmpty()) {
      return;
    }
    String name = entry.get().name();
    if (!entry.get().learner) {
      long rest = upVoters() - (up(name) ? 1 : 0);
      assertThat(rest).as("quorum without %s, which is removed", name).isGreaterThanOrEqualTo((voters() - 1) / 2 + 1);
      assertThat(leads(name)).as("%s leads and is removed", name).isFalse();
      assertThat(world.down()).as("nobody is removed while another is restarted").allMatch(other -> other.equals(name));
    }
    list.remove(name);
  }

  @Override
  public void moveLeader(Endpoint from, long to) throws StoreException {
    must();
    Entry target = byId(to).orElseThrow(() -> new StoreException(StoreException.Reason.REFUSED, "not found"));
    if (!leads(from.member()) || target.learner || !up(target.name())) {
      throw new StoreException(StoreException.Reason.NOT_READY, "no");
    }
    if (random.nextInt(5) > 0 && leader != to) {
      leader = to;
      term++;
      transfers++;
    }
  }

  @Override
  public void compact(List<Endpoint> through, long revision) throws StoreException {
    must();
  }

  @Override
  public void defragment(Endpoint member) throws StoreException {
    must();
  }

  @Override
  public void disarm(List<Endpoint> through, ActiveAlarm alarm) throws StoreException {
    must();
    alarms.remove(alarm);
  }

  @Override
  public void reload(Endpoint member) throws StoreException {
    must();
    world.reloaded(member.member());
  }

  @Override
  public void enableAuth(List<Endpoint> through, String password) throws StoreException {
    must();
    authEnabled = true;
  }

  @Override
  public void disableAuth(List<Endpoint> through) throws StoreException {
    must();
    authEnabled = false;
  }

  @Override
  public void compareData(List<Endpoint> members, long revision) {}

  private Optional<Entry> byId(long id) {
    return list.values().stream().filter(entry -> entry.id == id).findFirst();
  }
}
