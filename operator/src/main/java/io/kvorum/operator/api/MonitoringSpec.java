package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.generator.annotation.Default;

/** Objects for Prometheus and Grafana, made only when their kinds exist. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record MonitoringSpec(@Default("false") Boolean serviceMonitor, @Default("false") Boolean prometheusRule, @Default("false") Boolean dashboard) {
  /** None of them. */
  public static final MonitoringSpec NONE = new MonitoringSpec(null, null, null);

  public MonitoringSpec {
    serviceMonitor = serviceMonitor != null && serviceMonitor;
    prometheusRule = prometheusRule != null && prometheusRule;
    dashboard = dashboard != null && dashboard;
  }
}
