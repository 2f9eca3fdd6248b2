package io.kvorum.operator.metrics;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.config.MeterFilter;

/**
 * Gives the meters of the operator's framework about kinds of Kubernetes' core (pods, Secrets) the tag that those about other kinds have: the framework leaves out the group
 * that core kinds have not, and Prometheus refuses meters of one name whose tags differ.
 */
public final class CoreGroup implements MeterFilter {
  private static final String FRAMEWORK = "operator.sdk.";
  private static final String KIND = "kind";
  private static final String GROUP = "group";
  private static final String CORE = "core";

  /** Before the names of a kind's tags where a meter is about a controller. */
  private static final String OF_RESOURCE = "resource.";

  @Override
  public Meter.Id map(Meter.Id id) {
    return id.getName().startsWith(FRAMEWORK) ? complete(complete(id, ""), OF_RESOURCE) : id;
  }

  private static Meter.Id complete(Meter.Id id, String before) {
    boolean ofCore = id.getTag(before + KIND) != null && id.getTag(before + GROUP) == null;
    return ofCore ? id.withTag(Tag.of(before + GROUP, CORE)) : id;
  }
}
