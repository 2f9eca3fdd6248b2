package io.kvorum.server.process;

import io.kvorum.server.config.GoSyntax;
import io.kvorum.server.logging.Log;
import io.kvorum.server.metrics.CallMeter;
import java.time.Duration;
import java.time.Instant;

/** etcd's line about unary calls that took longer than {@code --warning-unary-request-duration}; sizes instead of contents, which may be secrets. */
enum SlowCallLog implements CallMeter.SlowCalls {
  INSTANCE;

  private static final Log LOG = Log.of(SlowCallLog.class);

  @Override
  public void slow(CallMeter.CallReport call) {
    LOG.warn(
        "request stats",
        "start time", Instant.now().minusNanos(call.nanos()).toString(),
        "time spent", GoSyntax.text(Duration.ofNanos(call.nanos())),
        "remote", call.remote().startsWith("/") ? call.remote().substring(1) : call.remote(),
        "response type", "/" + call.method(),
        "request size", call.requestBytes(),
        "response size", call.responseBytes(),
        "status", call.status().getCode().name());
  }
}
