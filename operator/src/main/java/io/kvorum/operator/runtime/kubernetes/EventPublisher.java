package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.MicroTime;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.events.v1.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.event.PlannedEvent;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Sends Events. One that cannot be sent is logged and holds nothing up. */
public final class EventPublisher {
  private static final Logger LOG = Logger.getLogger(EventPublisher.class.getName());
  private static final int NOTE = 1024;
  private static final int NAME = 253;
  private static final DateTimeFormatter MICROS = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

  private final KubernetesClient client;
  private final Clock clock;
  private final String instance;

  public EventPublisher(KubernetesClient client, Clock clock, String instance) {
    this.client = client;
    this.clock = clock;
    this.instance = instance;
  }

  /** @param about the object that the Event belongs to */
  void publish(PlannedEvent event, HasMetadata about) {
    publish(event, about, new ObjectMetaBuilder().withGenerateName(about.getMetadata().getName() + "-"));
  }

  /** Tells it once about this very object, for as long as the API server keeps Events. */
  public void publishOnce(PlannedEvent event, HasMetadata about) {
    String uid = about.getMetadata().getUid();
    publish(event, about, new ObjectMetaBuilder().withName(Names.shortened(about.getMetadata().getName(), NAME - uid.length() - 1) + "." + uid));
  }

  private void publish(PlannedEvent event, HasMetadata about, ObjectMetaBuilder meta) {
    String text = event.message().length() > NOTE ? event.message().substring(0, NOTE) : event.message();
    LOG.log(
        event.reason().warning() ? Level.WARNING : Level.INFO, "{0}/{1}: {2}: {3}",
        new Object[] {about.getMetadata().getNamespace(), about.getMetadata().getName(), event.reason().text(), text});
    try {
      client
          .resource(
              new EventBuilder()
                  .withMetadata(meta.withNamespace(about.getMetadata().getNamespace()).build())
                  .withType(event.reason().warning() ? "Warning" : "Normal")
                  .withReason(event.reason().text())
                  .withAction(event.reason().text())
                  .withNote(text)
                  .withEventTime(new MicroTime(MICROS.format(clock.instant())))
                  .withReportingController("kvorum.io/" + Names.FIELD_MANAGER)
                  .withReportingInstance(instance)
                  .withRegarding(reference(about))
                  .build())
          .create();
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) { // was told before
        LOG.log(Level.WARNING, "an Event was not sent: {0}", e.getMessage());
      }
    }
  }

  private static ObjectReference reference(HasMetadata about) {
    return new ObjectReferenceBuilder()
        .withApiVersion(about.getApiVersion())
        .withKind(about.getKind())
        .withNamespace(about.getMetadata().getNamespace())
        .withName(about.getMetadata().getName())
        .withUid(about.getMetadata().getUid())
        .build();
  }
}
