package io.kvorum.operator.process;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.config.ControllerConfigurationOverrider;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfigurationBuilder;
import io.javaoperatorsdk.operator.monitoring.micrometer.MicrometerMetrics;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.retry.GenericRetry;
import io.kvorum.operator.AgentSecretReconciler;
import io.kvorum.operator.BackupInformers;
import io.kvorum.operator.BackupReconciler;
import io.kvorum.operator.ClusterReconciler;
import io.kvorum.operator.Informers;
import io.kvorum.operator.OperationAdmission;
import io.kvorum.operator.ScheduleReconciler;
import io.kvorum.operator.WorkloadInformers;
import io.kvorum.operator.WorkloadReconciler;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.engine.ClusterEngine;
import io.kvorum.operator.metrics.ClusterMetrics;
import io.kvorum.operator.metrics.CoreGroup;
import io.kvorum.operator.plan.Planner;
import io.kvorum.operator.runtime.kubernetes.BackupRuntime;
import io.kvorum.operator.runtime.kubernetes.KubernetesRuntime;
import io.kvorum.operator.runtime.kubernetes.OrphanedSecrets;
import io.kvorum.operator.runtime.kubernetes.WorkloadRuntime;
import io.kvorum.operator.status.StatusWriter;
import io.kvorum.operator.store.GrpcStoreAdmin;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.Vertx;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/** Puts the operator together and runs it from the container's start to its end. */
@Singleton
public final class OperatorProcess {
  /** A cluster is looked at as often as this when nothing happens to it. */
  private static final Duration LOOK = Duration.ofSeconds(30);

  private static final Duration LOOK_SELDOM = Duration.ofHours(1);

  private static final Duration LOOK_AT_ORPHANS = Duration.ofMinutes(10);

  private static final int RETRY_FIRST_MILLIS = 1_000;
  private static final double RETRY_GROWTH = 1.5;
  private static final int RETRY_MAX_MILLIS = 30_000;

  private final MeterRegistry metrics;
  private final Vertx vertx;
  private final AtomicBoolean leads = new AtomicBoolean();
  private volatile Operator operator;
  private volatile Optional<WebhookProcess> webhook = Optional.empty();

  @Inject
  OperatorProcess(MeterRegistry metrics, Vertx vertx) {
    this.metrics = metrics;
    this.vertx = vertx;
  }

  void start(@Observes StartupEvent event) {
    Settings settings = Settings.of(System.getenv());
    Clock clock = Clock.systemUTC();
    KubernetesClient client = new KubernetesClientBuilder().build();
    Informers informers = new Informers();
    KubernetesRuntime.Installation installation =
        new KubernetesRuntime.Installation(client, informers, settings.defaults(), clock, new SecureRandom(), settings.instance());
    Operator made = operator(settings, client);
    made.register(new ClusterReconciler(informers, id -> unit(installation, id), new ClusterMetrics(metrics)), override -> watch(override, settings));
    made.register(new OperationAdmission(clock), override -> watch(override, settings));
    BackupInformers backups = new BackupInformers();
    BackupRuntime runtime = new BackupRuntime(installation, backups);
    // Backups are kept by the hundred; one that is at its end is looked at when something happens to it.
    made.register(new BackupReconciler(backups, runtime), override -> watch(override, settings).withReconciliationMaxInterval(LOOK_SELDOM));
    made.register(new ScheduleReconciler(backups, runtime), override -> watch(override, settings));
    WorkloadInformers workloads = new WorkloadInformers();
    made.register(
        new WorkloadReconciler(
            workloads, id -> new WorkloadRuntime(installation, workloads, settings.namespaces(), new ClusterRef(id.getNamespace().orElseThrow(), id.getName())),
            informers::workloadProblems),
        override -> watch(override, settings));
    made.register(
        new AgentSecretReconciler(new OrphanedSecrets(client)), override -> watch(override, settings).withReconciliationMaxInterval(LOOK_AT_ORPHANS));
    if (!settings.webhookService().isEmpty()) {
      WebhookProcess process = new WebhookProcess(settings, client, vertx, clock, leads::get);
      made.register(process.watch(), override -> watch(override, settings).withReconciliationMaxInterval(LOOK_SELDOM));
      process.start();
      webhook = Optional.of(process);
    }
    leads.set(settings.leaseNamespace().isEmpty());
    made.start();
    operator = made;
  }

  private static <T extends HasMetadata> ControllerConfigurationOverrider<T> watch(ControllerConfigurationOverrider<T> override, Settings settings) {
    override.withReconciliationMaxInterval(LOOK);
    override.withRetry(
        new GenericRetry().setInitialInterval(RETRY_FIRST_MILLIS).setIntervalMultiplier(RETRY_GROWTH).setMaxInterval(RETRY_MAX_MILLIS).setMaxAttempts(-1));
    if (settings.namespaces().isEmpty()) {
      override.watchingAllNamespaces();
    } else {
      override.settingNamespaces(settings.namespaces());
    }
    return override;
  }

  private Operator operator(Settings settings, KubernetesClient client) {
    metrics.config().meterFilter(new CoreGroup());
    return new Operator(
        override -> {
          override.withKubernetesClient(client).withCloseClientOnStop(true).withMetrics(MicrometerMetrics.withoutPerResourceMetrics(metrics));
          if (!settings.leaseNamespace().isEmpty()) {
            override.withLeaderElectionConfiguration(
                LeaderElectionConfigurationBuilder.aLeaderElectionConfiguration(Names.FIELD_MANAGER)
                    .withLeaseNamespace(settings.leaseNamespace())
                    .withIdentity(settings.instance())
                    .withLeaderCallbacks(new LeaderCallbacks(() -> leads.set(true), () -> leads.set(false), leader -> {}))
                    .build());
          }
        });
  }

  private static ClusterReconciler.Unit unit(KubernetesRuntime.Installation installation, ResourceID id) {
    KubernetesRuntime runtime =
        new KubernetesRuntime(installation, new KubernetesRuntime.Target(id.getNamespace().orElseThrow(), id.getName()));
    GrpcStoreAdmin store = new GrpcStoreAdmin(runtime::access, installation.clock());
    return new ClusterReconciler.Unit(new ClusterEngine(runtime, store, new Planner()::plan, StatusWriter::status, ClusterEngine.Progress.NONE), store);
  }

  void stop(@Observes ShutdownEvent event) {
    webhook.ifPresent(WebhookProcess::close);
    if (operator != null) {
      operator.stop();
    }
  }

  /** Everything is watched that must be; true also while another instance holds the lease. */
  boolean healthy() {
    Operator running = operator;
    return running != null && (!running.getRuntimeInfo().isStarted() || running.getRuntimeInfo().allEventSourcesAreHealthy());
  }

  boolean started() {
    return operator != null;
  }

  /** The webhook shows its certificate, or there is none to be had. */
  boolean webhookListens() {
    return webhook.map(WebhookProcess::listening).orElse(true);
  }
}
