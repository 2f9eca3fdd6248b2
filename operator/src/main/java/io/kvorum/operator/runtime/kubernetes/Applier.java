package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.desired.Names;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * Server-side apply of what is wanted. Something that was applied is applied again when it has changed, or after a minute, so that what others did to it is put
 * right; the API server writes nothing when nothing differs. One instance for each cluster; not safe for several threads.
 */
final class Applier {
  private static final Duration REPAIR = Duration.ofMinutes(1);

  private final KubernetesClient client;
  private final Clock clock;
  private final Map<String, Applied> applied = new HashMap<>();

  private record Applied(String text, Instant at) {}

  Applier(KubernetesClient client, Clock clock) {
    this.client = client;
    this.clock = clock;
  }

  /** @return whether a call was made */
  boolean apply(HasMetadata wanted) {
    String text = Serialization.asJson(wanted);
    Applied before = applied.get(key(wanted));
    Instant now = clock.instant();
    if (before != null && before.text.equals(text) && now.isBefore(before.at.plus(REPAIR))) {
      return false;
    }
    client.resource(wanted).fieldManager(Names.FIELD_MANAGER).forceConflicts().serverSideApply();
    applied.put(key(wanted), new Applied(text, now));
    return true;
  }

  /** Whether this very text was applied, and this long ago. */
  boolean isOlder(HasMetadata wanted, Duration age) {
    Applied before = applied.get(key(wanted));
    return before != null && before.text.equals(Serialization.asJson(wanted)) && clock.instant().isAfter(before.at.plus(age));
  }

  /** It is gone, or belongs to somebody else now. */
  void forget(HasMetadata object) {
    applied.remove(key(object));
  }

  private static String key(HasMetadata object) {
    return object.getKind() + "/" + object.getMetadata().getName();
  }
}
