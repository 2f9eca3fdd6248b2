package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.Record;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.mvccpb.KeyValue;
import io.kvorum.server.agent.copy.LocalCopy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/** A local copy of a prefix of members in this process, over a channel that can be turned to another member or cut. */
final class CopyRig implements AutoCloseable {
  static final long DEADLINE_SECONDS = 30;

  final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  final Upstream upstream = new Upstream();
  final LocalCopy copy;
  final AtomicLong shown = new AtomicLong();

  /** A local caller's. */
  final ManagedChannel local;

  private final io.grpc.Server server;

  CopyRig(Path directory, Channel cluster, List<String> prefixes) throws Exception {
    this(directory, cluster, prefixes, 64L << 20, 10_000);
  }

  CopyRig(Path directory, Channel cluster, List<String> prefixes, long maxBytes, long history) throws Exception {
    upstream.to = cluster;
    List<ByteString> mirrored = prefixes.stream().map(ByteString::copyFromUtf8).toList();
    copy = new LocalCopy(new LocalCopy.Settings(directory, mirrored, maxBytes, history), upstream, timer, System::nanoTime, new Random(1));
    String name = InProcessServerBuilder.generateName();
    server = InProcessServerBuilder.forName(name).directExecutor().addService(copy.watches(shown::get, revision -> shown.accumulateAndGet(revision, Math::max))).build().start();
    local = InProcessChannelBuilder.forName(name).build();
    copy.start();
  }

  /** New calls go where it is turned to; cutting it ends the calls on it. */
  static final class Upstream extends Channel {
    volatile Channel to;
    private final List<ClientCall<?, ?>> calls = new ArrayList<>();

    @Override
    public synchronized <Q, A> ClientCall<Q, A> newCall(MethodDescriptor<Q, A> method, CallOptions options) {
      ClientCall<Q, A> call = to.newCall(method, options);
      if (method.getType() != MethodDescriptor.MethodType.UNARY) {
        calls.add(call);
      }
      return call;
    }

    @Override
    public String authority() {
      return to.authority();
    }

    synchronized void turn(Channel next) {
      to = next;
      calls.forEach(call -> call.cancel("cut", null));
      calls.clear();
    }
  }

  void awaitLive() throws InterruptedException {
    await(() -> copy.state() instanceof LocalCopy.State.Live);
  }

  void reach(long revision) throws Exception {
    copy.reach(revision).get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    assertThat(copy.store().revision()).isGreaterThanOrEqualTo(revision);
  }

  static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(end);
      Thread.sleep(10);
    }
  }

  static KVGrpc.KVBlockingStub kv(Channel channel) {
    return KVGrpc.newBlockingStub(channel).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  static long put(Channel channel, String key, String value) {
    PutRequest request = PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).setValue(ByteString.copyFromUtf8(value)).build();
    return kv(channel).put(request).getHeader().getRevision();
  }

  static long delete(Channel channel, String key) {
    return kv(channel).deleteRange(DeleteRangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).build()).getHeader().getRevision();
  }

  static void compact(Channel channel, long revision) {
    kv(channel).compact(CompactionRequest.newBuilder().setRevision(revision).setPhysical(true).build());
  }

  /** The pairs of a prefix in the cluster as of a revision, byte for byte. */
  static List<ByteString> there(Channel channel, String prefix, long revision) {
    RangeRequest request =
        RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(prefix)).setRangeEnd(ByteString.copyFromUtf8(end(prefix))).setRevision(revision).build();
    return kv(channel).range(request).getKvsList().stream().map(KeyValue::toByteString).toList();
  }

  /** The same of the copy. */
  List<ByteString> here(String prefix, long revision) {
    try (ReadView view = copy.store().view()) {
      return view.range(new RangeQuery(prefix.getBytes(), end(prefix).getBytes(), revision, 0, false)).records().stream()
          .map(Record::toByteArray)
          .map(ByteString::copyFrom)
          .toList();
    }
  }

  private static String end(String prefix) {
    return prefix.substring(0, prefix.length() - 1) + (char) (prefix.charAt(prefix.length() - 1) + 1);
  }

  @Override
  public void close() {
    local.shutdownNow();
    server.shutdownNow();
    copy.close();
    timer.shutdownNow();
  }
}
