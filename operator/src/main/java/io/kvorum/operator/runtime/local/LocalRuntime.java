package io.kvorum.operator.runtime.local;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumMemberSpec;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.backup.BackupAction;
import io.kvorum.operator.certificates.Issuer;
import io.kvorum.operator.desired.Defaults;
import io.kvorum.operator.desired.MemberConfig;
import io.kvorum.operator.desired.ServerOptions;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.observe.Observation;
import io.kvorum.operator.observe.StoreState;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.runtime.CertificateKeeper;
import io.kvorum.operator.runtime.ClusterRuntime;
import io.kvorum.operator.store.StoreAccess;
import io.kvorum.operator.store.StoreAdmin;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * A cluster on this machine: members are processes, claims are folders, objects are files. Everything is below one folder, so that a later run finds it all.
 * For one thread.
 */
public final class LocalRuntime implements ClusterRuntime {
  private static final String NO_BACKUPS = "backups are not taken on this machine";

  /** Name of the one node that there is. */
  static final String NODE = "localhost";

  private static final Processes.Identity NOT_STARTED = new Processes.Identity(0, 0);

  private final Places places;
  private final LocalState state;
  private final ProcessTable processes;
  private final Builds builds;
  private final Readiness readiness;
  private final InstantSource clock;
  private final DataReports reports;
  private final Consumer<PlannedEvent> events;
  private final LocalSecrets secrets;
  private final CertificateKeeper certificates;
  private volatile StoreAccess access = StoreAccess.PLAIN;

  LocalRuntime(
      Places places, LocalState state, Processes system, Builds builds, Readiness readiness, InstantSource clock, SecureRandom random,
      Consumer<PlannedEvent> events)
      throws IOException {
    this.places = places;
    this.state = state;
    this.builds = builds;
    this.readiness = readiness;
    this.clock = clock;
    this.events = events;
    this.secrets = new LocalSecrets(places.tlsFolder());
    this.certificates = new CertificateKeeper(secrets, new Issuer(random), new Defaults("", ""), clock);
    this.reports = new DataReports(places.root().resolve("reports.json"));
    this.processes = new ProcessTable(places.root().resolve("processes.json"), system, record -> launch(system, record), clock);
  }

  @Override
  public Observation surroundings() {
    try {
      processes.tend();
      KvorumCluster cluster = state.cluster();
      certificates.read(cluster);
      access = certificates.access(cluster);
      List<Observation.PodState> pods = new ArrayList<>();
      for (ProcessRecord record : processes.all()) {
        pods.add(pod(record));
      }
      List<Observation.ClaimState> claims = new ArrayList<>();
      for (Claims.Claim claim : state.claims().all()) {
        claims.add(new Observation.ClaimState(claim.member(), claim.member(), claim.uid(), true, claim.lost(), false, claim.bytes(), claim.bytes(), false, state.claims().isCopied(claim.member())));
      }
      return new Observation(
          clock.instant(), cluster, state.members().all(), pods, claims, List.of(new Observation.NodeState(NODE, "", true, true, false, false)),
          state.operations().all().stream().filter(operation -> !isFinal(operation)).toList(), reports.all(), Observation.Backups.NONE,
          StoreState.UNKNOWN, facts(cluster));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isFinal(KvorumOperation operation) {
    return operation.getStatus() != null && operation.getStatus().phase().isFinal();
  }

  private boolean isPast(KvorumOperation operation) {
    return Api.time(operation.getStatus().finishedAt())
        .map(finished -> clock.instant().isAfter(finished.plusSeconds(operation.getSpec().ttlSecondsAfterFinished())))
        .orElse(false);
  }

  private Observation.PodState pod(ProcessRecord record) {
    boolean alive = processes.isAlive(record);
    String waiting = alive ? "" : builds.launcher(record.version()).isPresent() ? (record.restarts() > 0 ? "CrashLoopBackOff" : "ContainerCreating") : "ErrImagePull";
    return new Observation.PodState(
        record.member(), record.uid(), Instant.ofEpochMilli(record.createdMillis()), record.templateHash(), record.version(),
        alive && readiness.isReady(places.healthUrl(state.slot(record.member()))), alive, record.terminatingMillis() > 0, NODE, waiting, record.restarts(),
        record.servesClients());
  }

  private Observation.Facts facts(KvorumCluster cluster) {
    return new Observation.Facts(
        templateHash(cluster), true, MemberConfig.sharedHash(cluster.getSpec()), true, certificates.missing(cluster), certificates.facts(cluster), true, 0);
  }

  private String templateHash(KvorumCluster cluster) {
    return ServerOptions.sha256(
        cluster.acceptedVersion() + "\n" + String.join(" ", cluster.getSpec().jvmOptions()) + "\n" + MemberConfig.restartHash(cluster.getSpec()));
  }

  /** A member's own hash counts its names and places; equal to what its file has now, it stands for the hash that the specification asks for. */
  @Override
  public StoreState recognise(StoreState store) {
    String shared = MemberConfig.sharedHash(state.cluster().getSpec());
    List<StoreState.MemberAnswer> answers =
        store.answers().stream()
            .map(answer -> certificates.recognise(state.cluster(), answer))
            .map(
                answer ->
                    processes
                        .get(answer.member())
                        .filter(record -> options(record).hash().equals(answer.configHash()))
                        .map(record -> answer.withConfigHash(shared))
                        .orElse(answer))
            .toList();
    return store.withAnswers(answers);
  }

  @Override
  public List<StoreAdmin.Endpoint> endpoints() {
    return processes.all().stream()
        .map(record -> new StoreAdmin.Endpoint(record.member(), places.clientUrl(state.slot(record.member()))))
        .toList();
  }

  @Override
  public String peerUrl(String member) {
    return places.peerUrl(state.slot(member));
  }

  /** Certificates, and each running member's configuration file, as the specification has them now. */
  @Override
  public void applyBase(Observation observation) {
    attempt(
        () -> {
          KvorumCluster cluster = state.cluster();
          if (cluster.getSpec().wantsAuth()) {
            rootPassword();
          }
          certificates.apply(cluster, state.members().all());
          access = certificates.access(cluster);
          secrets.unpackOperator(cluster.getMetadata().getName());
          for (KvorumMember member : state.members().all()) {
            secrets.unpack(member.getMetadata().getName());
          }
          for (ProcessRecord record : processes.all()) {
            writeConfig(record);
          }
          for (KvorumOperation operation : state.operations().all()) {
            if (isFinal(operation) && isPast(operation)) {
              state.operations().delete(operation.getMetadata().getName());
            }
          }
        });
  }

  private void writeConfig(ProcessRecord record) throws IOException {
    String text = options(record).file();
    Path file = places.configFile(record.member());
    if (!Files.exists(file) || !Files.readString(file).equals(text)) {
      Processes.replace(file, text);
    }
  }

  private ServerOptions options(ProcessRecord record) {
    KvorumCluster cluster = state.cluster();
    return MemberConfig.options(
        cluster.getSpec(), places.place(record.member(), state.slot(record.member())),
        new MemberConfig.Beginning(record.mode(), record.clusterToken(), record.initialPeers()));
  }

  private Processes.Identity launch(Processes system, ProcessRecord record) throws IOException {
    if (state.claims().isLost(record.member())) {
      // An empty folder under the identity of a member that has voted could undo what was acknowledged.
      return NOT_STARTED;
    }
    writeConfig(record);
    String argument = "--config-file=" + places.configFile(record.member());
    Optional<Processes.Identity> running = system.find(argument);
    if (running.isPresent()) {
      return running.get();
    }
    Path launcher = builds.launcher(record.version()).orElse(null);
    if (launcher == null) {
      return NOT_STARTED;
    }
    return system.start(
        List.of(launcher.toString(), argument), Map.of("KVORUM_JVM_OPTIONS", String.join(" ", state.cluster().getSpec().jvmOptions())),
        places.log(record.member()));
  }

  @Override
  public KvorumCluster writeStatus(KvorumCluster cluster) {
    attempt(() -> state.writeStatus(cluster));
    return cluster;
  }

  @Override
  public void createMember(Action.CreateMember action) {
    attempt(
        () -> {
          state.claimSlot(action.member());
          if (state.members().get(action.member()).isEmpty()) {
            KvorumMember member = new KvorumMember();
            member.setMetadata(
                new ObjectMetaBuilder().withName(action.member()).withUid(UUID.randomUUID().toString()).withCreationTimestamp(clock.instant().toString())
                    .withFinalizers(Api.FINALIZER).build());
            member.setSpec(
                new KvorumMemberSpec(
                    state.cluster().getMetadata().getName(), action.member(), action.ordinal(), action.clusterToken(), peerUrl(action.member()), List.of(),
                    action.joinMode(), action.member()));
            state.members().put(member);
          }
          state.claims().create(action.member(), state.cluster().getSpec().storage().bytes());
        });
  }

  @Override
  public void writeMember(KvorumMember member) {
    attempt(
        () -> {
          if (!state.members().get(member.getMetadata().getName()).equals(Optional.of(member))) {
            state.members().put(member);
          }
        });
  }

  @Override
  public void writeOperation(KvorumOperation operation) {
    attempt(() -> state.operations().put(operation));
  }

  @Override
  public void startPod(Action.StartPod action) {
    attempt(
        () -> {
          KvorumCluster cluster = state.cluster();
          state.beginWith(action.member(), action.initialPeers());
          processes.add(
              new ProcessRecord(
                  action.member(), UUID.randomUUID().toString(), clock.millis(), 0, 0, templateHash(cluster), cluster.acceptedVersion(), 0, 0, 0, true,
                  action.mode(), action.clusterToken(), action.initialPeers()));
          reports.remove(action.member());
          processes.tend();
        });
  }

  @Override
  public void deletePod(String member, String uid) {
    attempt(() -> processes.terminate(member, uid));
  }

  @Override
  public void serveClients(String member, boolean serve) {
    attempt(
        () -> {
          ProcessRecord record = processes.get(member).orElse(null);
          if (record != null) {
            processes.update(record.serving(serve));
          }
        });
  }

  @Override
  public void growClaim(String member, long bytes) {
    attempt(() -> state.claims().grow(member, bytes));
  }

  @Override
  public void releaseMember(String member, boolean keepClaim) {
    attempt(
        () -> {
          String id = state.members().get(member).map(KvorumMember::getStatus).map(status -> status.memberID()).orElse("");
          state.claims().end(member, keepClaim, id);
          state.members().delete(member);
          Files.deleteIfExists(places.configFile(member));
          secrets.forget(member);
          state.releaseSlot(member);
        });
  }

  @Override
  public void copyClaim(String member) {
    attempt(() -> state.claims().copy(member));
  }

  @Override
  public void inspectData(String member) {
    attempt(
        () -> reports.put(builds.inspect(state.cluster().acceptedVersion(), member, places.claim(member).resolve("data"), clock.instant())));
  }

  @Override
  public void rotateCertificates(Observation.Certificates.Phase phase) {
    certificates.rotate(state.cluster(), phase);
  }

  @Override
  public String rootPassword() {
    KvorumCluster cluster = state.cluster();
    if (certificates.rootPassword(cluster).isEmpty()) {
      attempt(() -> certificates.makeRootPassword(cluster, state.rootPassword()));
    }
    return certificates.rootPassword(cluster).orElse("");
  }

  /** How the operator shows itself to the members, as of the last pass. Any thread. */
  StoreAccess access() {
    return access;
  }

  @Override
  public void finishDeletion() {
    attempt(state::delete);
  }

  @Override
  public void publish(PlannedEvent event) {
    events.accept(event);
  }

  @Override
  public void createBackup(BackupAction.CreateBackup backup) {
    throw new UnsupportedOperationException(NO_BACKUPS);
  }

  @Override
  public void deleteBackup(BackupAction.DeleteBackup backup) {
    throw new UnsupportedOperationException(NO_BACKUPS);
  }

  @Override
  public void verifyBackup(String backup, String request) {
    throw new UnsupportedOperationException(NO_BACKUPS);
  }

  /** Politely ends all members; they start again with the next run. */
  void suspend() {
    processes.suspend();
  }

  Optional<ProcessRecord> process(String member) {
    return processes.get(member);
  }

  boolean anyAlive() {
    return processes.all().stream().anyMatch(processes::isAlive);
  }

  /** Notes that the members have ended because they were asked to. */
  void suspended() {
    attempt(processes::suspended);
  }

  void kill() {
    processes.kill();
  }

  private interface Step {
    void run() throws IOException;
  }

  private static void attempt(Step step) {
    try {
      step.run();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
