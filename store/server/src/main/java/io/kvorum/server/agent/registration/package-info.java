/**
 * The agent's registration: keeps {@code services/NAME/POD} alive under a lease while the application is ready, in the format of clientv3's {@code naming/endpoints}.
 *
 * <p>{@link io.kvorum.server.agent.registration.Lifecycle} decides and does nothing itself; {@link io.kvorum.server.agent.registration.Registrar} drives it with probes, calls and
 * a clock.
 */
package io.kvorum.server.agent.registration;
