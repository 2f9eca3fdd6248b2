package io.kvorum.server.agent.registration;

import java.util.concurrent.CompletableFuture;

/** Asks the application whether it is ready. */
@FunctionalInterface
interface ReadinessProbe {
  /** Asks once; completes normally, within {@link Probes#TIMEOUT_MILLIS} and a little. One question at a time. */
  CompletableFuture<Readiness> check();
}
