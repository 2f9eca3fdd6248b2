package io.kvorum.discovery;

import com.google.protobuf.ByteString;
import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrantResponse;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeResponse;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.PutResponse;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.protocol.mvccpb.Event;
import io.kvorum.protocol.mvccpb.KeyValue;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/** A store that does as the test says: what is asked is noted, and any call can be refused. */
final class FakeStore implements AutoCloseable {
  final List<String> asked = Collections.synchronizedList(new ArrayList<>());
  final ManagedChannel channel;
  private final Server server;
  private final TreeMap<String, KeyValue> pairs = new TreeMap<>();
  private final Set<Long> leases = new TreeSet<>();
  private final List<StreamObserver<WatchResponse>> watches = new ArrayList<>();
  private long revision = 1;
  private long compacted;

  /** Refuses everything with this while set. */
  private Status down;

  /** Serializable ranges are answered as of this revision, empty, while set. */
  private long behind;

  FakeStore() throws IOException {
    String name = UUID.randomUUID().toString();
    List<BindableService> services = List.of(new Keys(), new Watches(), new Leases());
    InProcessServerBuilder builder = InProcessServerBuilder.forName(name);
    services.forEach(builder::addService);
    server = builder.build().start();
    channel = InProcessChannelBuilder.forName(name).build();
  }

  private ResponseHeader header() {
    return ResponseHeader.newBuilder().setRevision(revision).build();
  }

  synchronized void put(String key, String value) {
    put(key, value, 0);
  }

  private void put(String key, String value, long lease) {
    revision++;
    KeyValue pair =
        KeyValue.newBuilder().setKey(ByteString.copyFromUtf8(key)).setValue(ByteString.copyFromUtf8(value)).setModRevision(revision).setLease(lease).build();
    pairs.put(key, pair);
    tell(Event.newBuilder().setKv(pair).build());
  }

  synchronized void delete(String key) {
    pairs.remove(key);
    revision++;
    KeyValue gone = KeyValue.newBuilder().setKey(ByteString.copyFromUtf8(key)).setModRevision(revision).build();
    tell(Event.newBuilder().setType(Event.EventType.DELETE).setKv(gone).build());
  }

  private void tell(Event event) {
    WatchResponse response = WatchResponse.newBuilder().setHeader(header()).addEvents(event).build();
    List.copyOf(watches).forEach(watch -> watch.onNext(response));
  }

  /** Null when it is not there. */
  synchronized String get(String key) {
    return pairs.containsKey(key) ? pairs.get(key).getValue().toStringUtf8() : null;
  }

  synchronized int leases() {
    return leases.size();
  }

  /** Watches may not begin at or below this. */
  synchronized void compact(long at) {
    compacted = at;
  }

  synchronized void behind(long at) {
    behind = at;
  }

  /** Ends all streams and refuses calls, or with null takes them again. */
  synchronized void down(Status reason) {
    down = reason;
    if (reason != null) {
      List.copyOf(watches).forEach(watch -> watch.onError(reason.asRuntimeException()));
      watches.clear();
    }
  }

  /** Every lease ends, with its keys. */
  synchronized void endLeases() {
    leases.clear();
    List<String> gone = pairs.values().stream().filter(pair -> pair.getLease() != 0).map(pair -> pair.getKey().toStringUtf8()).toList();
    gone.forEach(this::delete);
  }

  private boolean refused(String what, StreamObserver<?> answer) {
    asked.add(what);
    if (down != null) {
      answer.onError(down.asRuntimeException());
    }
    return down != null;
  }

  private static <A> void answer(StreamObserver<A> observer, A answer) {
    observer.onNext(answer);
    observer.onCompleted();
  }

  @Override
  public void close() {
    channel.shutdownNow();
    server.shutdownNow();
  }

  private final class Keys extends KVGrpc.KVImplBase {
    @Override
    public void range(RangeRequest request, StreamObserver<RangeResponse> observer) {
      synchronized (FakeStore.this) {
        if (refused("range" + (request.getSerializable() ? "" : " linearizable"), observer)) {
          return;
        }
        RangeResponse.Builder response = RangeResponse.newBuilder().setHeader(header());
        if (behind > 0 && request.getSerializable()) {
          answer(observer, response.setHeader(ResponseHeader.newBuilder().setRevision(behind)).build());
          return;
        }
        pairs.subMap(request.getKey().toStringUtf8(), request.getRangeEnd().toStringUtf8()).values().forEach(response::addKvs);
        answer(observer, response.build());
      }
    }

    @Override
    public void put(PutRequest request, StreamObserver<PutResponse> observer) {
      synchronized (FakeStore.this) {
        if (refused("put", observer)) {
          return;
        }
        if (!leases.contains(request.getLease())) {
          observer.onError(Status.NOT_FOUND.withDescription("etcdserver: requested lease not found").asRuntimeException());
          return;
        }
        FakeStore.this.put(request.getKey().toStringUtf8(), request.getValue().toStringUtf8(), request.getLease());
        answer(observer, PutResponse.newBuilder().setHeader(header()).build());
      }
    }
  }

  private final class Watches extends WatchGrpc.WatchImplBase {
    @Override
    public StreamObserver<WatchRequest> watch(StreamObserver<WatchResponse> observer) {
      return new StreamObserver<>() {
        @Override
        public void onNext(WatchRequest request) {
          synchronized (FakeStore.this) {
            long from = request.getCreateRequest().getStartRevision();
            if (refused("watch " + from, observer)) {
              return;
            }
            observer.onNext(WatchResponse.newBuilder().setHeader(header()).setCreated(true).build());
            if (from <= compacted) {
              observer.onNext(WatchResponse.newBuilder().setHeader(header()).setCanceled(true).setCompactRevision(compacted).build());
              return;
            }
            watches.add(observer);
          }
        }

        @Override
        public void onError(Throwable broken) {
          onCompleted();
        }

        @Override
        public void onCompleted() {
          synchronized (FakeStore.this) {
            watches.remove(observer);
          }
        }
      };
    }
  }

  private final class Leases extends LeaseGrpc.LeaseImplBase {
    @Override
    public void leaseGrant(LeaseGrantRequest request, StreamObserver<LeaseGrantResponse> observer) {
      synchronized (FakeStore.this) {
        if (!refused("grant", observer)) {
          leases.add(request.getID());
          answer(observer, LeaseGrantResponse.newBuilder().setHeader(header()).setID(request.getID()).setTTL(request.getTTL()).build());
        }
      }
    }

    @Override
    public void leaseRevoke(LeaseRevokeRequest request, StreamObserver<LeaseRevokeResponse> observer) {
      synchronized (FakeStore.this) {
        if (!refused("revoke", observer)) {
          endLeases();
          answer(observer, LeaseRevokeResponse.newBuilder().setHeader(header()).build());
        }
      }
    }

    @Override
    public StreamObserver<LeaseKeepAliveRequest> leaseKeepAlive(StreamObserver<LeaseKeepAliveResponse> observer) {
      return new StreamObserver<>() {
        @Override
        public void onNext(LeaseKeepAliveRequest request) {
          synchronized (FakeStore.this) {
            if (!refused("keep-alive", observer)) {
              observer.onNext(LeaseKeepAliveResponse.newBuilder().setID(request.getID()).setTTL(leases.contains(request.getID()) ? 1 : 0).build());
            }
          }
        }

        @Override
        public void onError(Throwable broken) {
          // Cancelled.
        }

        @Override
        public void onCompleted() {
          if (down == null) {
            observer.onCompleted();
          }
        }
      };
    }
  }
}
