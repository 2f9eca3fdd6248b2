package io.kvorum.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CallMeterTest {
  private static final String PUT = "etcdserverpb.KV/Put";
  private static final String WATCH = "etcdserverpb.Watch/Watch";

  private final List<CallMeter.CallReport> slow = new ArrayList<>();

  private CallMeter meter(boolean extensive, long slowNanos) {
    return new CallMeter(
        List.of(KVGrpc.bindService(new KVGrpc.AsyncService() {}), WatchGrpc.bindService(new WatchGrpc.AsyncService() {})), extensive, slowNanos, slow::add);
  }

  private static void call(CallMeter meter, String method, Status status) {
    ServerStreamTracer call = meter.newServerStreamTracer(method, new Metadata());
    call.inboundMessageRead(0, 30, 20);
    call.outboundMessageSent(0, 8, 7);
    call.streamClosed(status);
  }

  private static String text(CallMeter meter) {
    MetricsText out = new MetricsText();
    meter.collect(out);
    return out.toString();
  }

  @Test
  void every_method_and_code_is_there_before_the_first_call() {
    assertThat(text(meter(false, CallMeter.NEVER_NANOS)))
        .contains("grpc_server_handled_total{grpc_code=\"DeadlineExceeded\",grpc_method=\"Put\",grpc_service=\"etcdserverpb.KV\",grpc_type=\"unary\"} 0\n")
        .contains("grpc_server_handled_total{grpc_code=\"Canceled\",grpc_method=\"Watch\",grpc_service=\"etcdserverpb.Watch\",grpc_type=\"bidi_stream\"} 0\n")
        .doesNotContain("grpc_server_handling_seconds");
  }

  @Test
  void a_call_is_counted_with_its_outcome_and_bytes() {
    CallMeter meter = meter(true, CallMeter.NEVER_NANOS);
    call(meter, PUT, Status.OK);
    call(meter, PUT, Status.OUT_OF_RANGE);
    call(meter, "etcdserverpb.KV/None", Status.UNIMPLEMENTED);
    assertThat(text(meter))
        .contains("grpc_server_started_total{grpc_method=\"Put\",grpc_service=\"etcdserverpb.KV\",grpc_type=\"unary\"} 2\n")
        .contains("grpc_server_handled_total{grpc_code=\"OutOfRange\",grpc_method=\"Put\",grpc_service=\"etcdserverpb.KV\",grpc_type=\"unary\"} 1\n")
        .contains("grpc_server_msg_sent_total{grpc_method=\"Put\",grpc_service=\"etcdserverpb.KV\",grpc_type=\"unary\"} 2\n")
        .contains("etcd_network_client_grpc_received_bytes_total 40\n")
        .contains("etcd_network_client_grpc_sent_bytes_total 14\n")
        .contains("grpc_server_handling_seconds_count{grpc_method=\"Put\",grpc_service=\"etcdserverpb.KV\",grpc_type=\"unary\"} 2\n");
    assertThat(slow).isEmpty();
  }

  @Test
  void a_unary_call_over_the_bound_is_reported_and_a_stream_is_not() {
    CallMeter meter = meter(false, -1);
    call(meter, PUT, Status.OK);
    call(meter, WATCH, Status.OK);
    assertThat(slow).hasSize(1);
    assertThat(slow.getFirst().method()).isEqualTo(PUT);
    assertThat(slow.getFirst().requestBytes()).isEqualTo(20);
  }

  @Test
  void a_stream_that_fails_is_counted_but_not_one_that_its_client_ends() {
    CallMeter meter = meter(false, CallMeter.NEVER_NANOS);
    call(meter, WATCH, Status.CANCELLED);
    assertThat(text(meter)).doesNotContain("stream_failures");
    call(meter, WATCH, Status.UNAVAILABLE);
    assertThat(text(meter)).contains("etcd_network_server_stream_failures_total{API=\"watch\",Type=\"send\"} 1\n");
  }

  @Test
  void calls_under_way_are_those_that_did_not_end() {
    Histogram durations = new Histogram(0.1, 2);
    CallMeter meter = meter(false, CallMeter.NEVER_NANOS).alsoIn(PUT, durations);
    ServerStreamTracer open = meter.newServerStreamTracer(PUT, new Metadata());
    call(meter, PUT, Status.INTERNAL);
    assertThat(meter.underWay(PUT)).isEqualTo(1);
    assertThat(durations.isEmpty()).isTrue();
    open.streamClosed(Status.OK);
    assertThat(meter.underWay(PUT)).isZero();
    assertThat(durations.isEmpty()).isFalse();
  }

  @Test
  void labels_from_outside_are_bounded() {
    LabelledCounter counter = new LabelledCounter();
    for (int i = 0; i < 1_000; i++) {
      counter.increment("reason " + i);
    }
    List<String> labels = new ArrayList<>();
    counter.forEach((label, count) -> labels.add(label + "=" + count));
    assertThat(labels).hasSize(LabelledCounter.SERIES_MAX + 1).contains("other=" + (1_000 - LabelledCounter.SERIES_MAX));
  }
}
