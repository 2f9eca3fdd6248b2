package io.kvorum.server.agent.registration;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * One registration.
 *
 * @param prefix under which services are, with a slash at its end unless it is empty
 * @param service name without a slash
 * @param instance name without a slash, usually the pod's
 * @param endpoint what the entry says
 * @param ttlSeconds of the lease, {@value #TTL_MIN_SECONDS} to {@value #TTL_MAX_SECONDS}: how long an instance that died is still there
 * @param readiness what tells whether the application is ready
 * @param period between the beginnings of two probes, 100 ms to a minute
 */
public record RegistrationSettings(String prefix, String service, String instance, Endpoint endpoint, long ttlSeconds, String readiness, Duration period) {
  static final long TTL_MIN_SECONDS = 1;
  static final long TTL_MAX_SECONDS = 3_600;
  private static final int NAME_BYTES_MAX = 253;
  private static final Duration PERIOD_MIN = Duration.ofMillis(100);
  private static final Duration PERIOD_MAX = Duration.ofMinutes(1);

  /** @throws IllegalArgumentException with the reason, in terms of the options */
  public RegistrationSettings {
    prefix = withSlash(prefix);
    check(isName(service), "--register=" + service + " is no service name: 1 to " + NAME_BYTES_MAX + " bytes without a slash");
    check(isName(instance), "--register-name=" + instance + " is no instance name: 1 to " + NAME_BYTES_MAX + " bytes without a slash");
    check(ttlSeconds >= TTL_MIN_SECONDS && ttlSeconds <= TTL_MAX_SECONDS, "--register-ttl is from " + TTL_MIN_SECONDS + " to " + TTL_MAX_SECONDS + " seconds");
    check(
        period.compareTo(PERIOD_MIN) >= 0 && period.compareTo(PERIOD_MAX) <= 0,
        "--readiness-period is from " + PERIOD_MIN.toMillis() + "ms to " + PERIOD_MAX.toSeconds() + "s");
    ReadinessTarget.parse(readiness);
  }

  /** A prefix as keys have it: with a slash at the end, which is what clientv3's resolver asks for; the empty one stays. */
  public static String withSlash(String prefix) {
    return prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/";
  }

  private static boolean isName(String name) {
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    return bytes > 0 && bytes <= NAME_BYTES_MAX && name.indexOf('/') < 0;
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }

  /** Where the entry is: PREFIX SERVICE/INSTANCE. */
  public ByteString key() {
    return ByteString.copyFromUtf8(prefix + service + "/" + instance);
  }

  ByteString value() {
    return ByteString.copyFromUtf8(endpoint.toJson());
  }

  ReadinessTarget target() {
    return ReadinessTarget.parse(readiness);
  }
}
