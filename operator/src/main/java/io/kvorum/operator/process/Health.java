package io.kvorum.operator.process;

import jakarta.enterprise.inject.Produces;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Liveness;
import org.eclipse.microprofile.health.Readiness;

/** Health of the operator itself. A cluster that is not well does not make the operator unwell. */
@Singleton
public final class Health {
  private final OperatorProcess process;

  @Inject
  Health(OperatorProcess process) {
    this.process = process;
  }

  @Produces
  @Liveness
  @Singleton
  HealthCheck live() {
    return () -> HealthCheckResponse.named("watches").status(process.healthy()).build();
  }

  @Produces
  @Readiness
  @Singleton
  HealthCheck ready() {
    return () -> HealthCheckResponse.named("started").status(process.started() && process.webhookListens()).build();
  }
}
