package io.kvorum.operator.process;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.kvorum.operator.InjectionWatch;
import io.kvorum.operator.certificates.Issuer;
import io.kvorum.operator.certificates.Leaf;
import io.kvorum.operator.runtime.kubernetes.EventPublisher;
import io.kvorum.operator.runtime.kubernetes.KubernetesWebhook;
import io.kvorum.operator.webhook.Admission;
import io.kvorum.operator.webhook.ServingKeeper;
import io.kvorum.operator.webhook.WebhookServer;
import io.vertx.core.Vertx;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The webhook of one replica: every replica answers, the one that leads keeps the certificate. */
final class WebhookProcess implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(WebhookProcess.class.getName());
  private static final int PORT = 8443;
  private static final String COMMON_NAME = "kvorum-webhook";

  /** How soon another replica's certificate is shown here, and how soon what went wrong is tried again. */
  private static final int PASS_SECONDS = 5;

  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("webhook-certificates").factory());
  private final WebhookServer server;
  private final ServingKeeper keeper;
  private final InjectionWatch watch;
  private String told = "";

  WebhookProcess(Settings settings, KubernetesClient client, Vertx vertx, Clock clock, BooleanSupplier leads) {
    String namespace = settings.leaseNamespace();
    String service = settings.webhookService();
    KubernetesWebhook objects =
        new KubernetesWebhook(client, new KubernetesWebhook.Place(namespace, service + "-webhook", service + "-" + namespace), settings.namespaces());
    Leaf leaf = new Leaf(COMMON_NAME, names(service, namespace, settings.defaults().clusterDomain()), List.of());
    server = new WebhookServer(vertx, PORT, new Admission(objects::cluster, settings.defaults())::answer);
    keeper =
        new ServingKeeper(
            objects, new ServingKeeper.Place(namespace, service + "-webhook", leaf), new Issuer(new SecureRandom()), clock, leads, server::show);
    watch = new InjectionWatch(clock, objects::cluster, settings.defaults(), new EventPublisher(client, clock, settings.instance())::publishOnce);
  }

  private static List<String> names(String service, String namespace, String domain) {
    String full = service + "." + namespace;
    return List.of(service, full, full + ".svc", full + ".svc." + domain);
  }

  /** Tells of pods that have no agent; the leader's. */
  InjectionWatch watch() {
    return watch;
  }

  void start() {
    timer.scheduleWithFixedDelay(this::pass, 0, PASS_SECONDS, TimeUnit.SECONDS);
  }

  private void pass() {
    try {
      keeper.pass();
      told = "";
    } catch (RuntimeException e) { // whatever it is, the next pass may fare better
      if (!told.equals(String.valueOf(e.getMessage()))) {
        LOG.log(Level.WARNING, "the webhook''s certificate: {0}", e.getMessage());
        told = String.valueOf(e.getMessage());
      }
    }
  }

  boolean listening() {
    return server.listening();
  }

  @Override
  public void close() {
    timer.shutdownNow();
    server.close();
  }
}
