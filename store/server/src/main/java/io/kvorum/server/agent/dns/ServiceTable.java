package io.kvorum.server.agent.dns;

import java.util.List;

/** What is registered, as this agent knows it: asked on network threads, so nothing here waits. */
public interface ServiceTable {
  /** Whether anything is known: false before the first answer of the cluster, and when this agent's user may not read the services (any more). */
  boolean isKnown();

  /**
   * Instances of a service.
   *
   * @param service in lower case
   * @return in the order of their keys; empty when there is no such service
   */
  List<ServiceInstance> instances(String service);

  /** Of the zone: revision of the last change that was taken. */
  long serial();
}
