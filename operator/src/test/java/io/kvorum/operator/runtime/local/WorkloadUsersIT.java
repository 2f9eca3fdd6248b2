package io.kvorum.operator.runtime.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import io.kvorum.operator.api.InjectionSpec;
import io.kvorum.operator.runtime.WorkloadUsers;
import io.kvorum.operator.store.StoreAdmin.StoreException;
import io.kvorum.operator.workload.Declaration;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import io.kvorum.operator.workload.Workload;
import io.kvorum.operator.workload.WorkloadAction;
import io.kvorum.operator.workload.WorkloadObservation;
import io.kvorum.operator.workload.WorkloadObservation.Owner;
import io.kvorum.operator.workload.WorkloadObservation.PodSeen;
import io.kvorum.operator.workload.WorkloadObservation.SecretSeen;
import io.kvorum.operator.workload.WorkloadPlanner;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthUserAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import java.net.URI;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the planner decides about workloads, carried out on a store with TLS and users: what a workload's user may do, and that it may do nothing once it is revoked. */
class WorkloadUsersIT {
  private static final ClusterRef KV = new ClusterRef("shop", "kv");
  private static final Workload WEB = new Workload("shop", "web");
  private static final Workload JOB = new Workload("shop", "job");
  private static final String DENIED = "PERMISSION_DENIED: etcdserver: permission denied";
  private static final int PASSES = 3;

  @TempDir Path folder;

  private final List<PodSeen> pods = new ArrayList<>();
  private final Map<Workload, String> secrets = new HashMap<>();
  private LocalLab lab;
  private WorkloadUsers operator;
  private ManagedChannel channel;

  @BeforeEach
  void begin() throws Exception {
    lab = new LocalLab(folder);
    lab.security("auth: {enabled: true}");
    lab.want(1, List.of());
    lab.until("a cluster with users", status -> status.condition("Ready").filter(ready -> ready.reason().equals("AllHealthy")).isPresent());
    operator = new WorkloadUsers(lab.users());
    URI url = URI.create(lab.endpoints().getFirst().clientUrl());
    channel = Grpc.newChannelBuilderForAddress(url.getHost(), url.getPort(), lab.kv().credentials()).build();
  }

  @AfterEach
  void end() {
    channel.shutdownNow();
    lab.close();
  }

  @Test
  void aWorkloadsUserHasWhatItDeclaresAndNothingElseAndNothingOnceItIsRevoked() throws Exception {
    pods.add(pod(WEB, "web/", "cart"));
    pods.add(pod(JOB, "job/", ""));
    settle();
    String web = login(WEB, secrets.get(WEB));
    String job = login(JOB, secrets.get(JOB));

    put(web, "web/a", "1");
    put(web, "services/cart/web-1", "{}");
    put(job, "job/a", "2");
    assertThat(get(web, "web/a", "")).isEqualTo("1");
    assertThat(get(job, "services/", "services0")).as("everybody finds services").isEqualTo("{}");
    for (String token : List.of(web, job)) {
      refused(() -> put(token, "other", "x"), DENIED);
      refused(() -> put(token, "services/mail/web-1", "x"), DENIED);
      refused(() -> get(token, "w", "x"), DENIED);
      refused(() -> get(token, "\0", "\0"), DENIED);
      refused(() -> auth(token).userAdd(AuthUserAddRequest.newBuilder().setName("me").setPassword("me").build()), DENIED);
    }
    refused(() -> get(job, "web/a", ""), DENIED);
    refused(() -> put(job, "services/cart/web-1", "x"), DENIED);

    // Another template: both while old and new pods run, then the new one alone, for tokens that are in use too.
    pods.add(pod(WEB, "new/", ""));
    settle();
    put(web, "new/a", "3");
    put(web, "web/a", "3");
    pods.removeFirst();
    settle();
    put(web, "new/a", "4");
    refused(() -> put(web, "web/a", "4"), DENIED);
    refused(() -> put(web, "services/cart/web-1", "4"), DENIED);

    // The pods went while no operator was there; the next one finds the user by its name.
    String password = secrets.get(WEB);
    pods.removeIf(pod -> pod.workload().equals(WEB));
    operator = new WorkloadUsers(lab.users());
    settle();
    refused(() -> get(web, "new/a", ""), "UNAUTHENTICATED: etcdserver: invalid auth token");
    refused(() -> login(WEB, password), "INVALID_ARGUMENT: etcdserver: authentication failed, invalid user ID or password");
    assertThat(secrets).doesNotContainKey(WEB);
    assertThat(get(job, "job/a", "")).as("others keep what they have").isEqualTo("2");

    // It comes back with a password of its own.
    pods.add(pod(WEB, "new/", ""));
    settle();
    assertThat(secrets.get(WEB)).isNotEqualTo(password);
    refused(() -> login(WEB, password), "INVALID_ARGUMENT: etcdserver: authentication failed, invalid user ID or password");
    assertThat(get(login(WEB, secrets.get(WEB)), "new/a", "")).isEqualTo("4");
  }

  @Test
  void aUserThatWasRemovedOrGotAnotherPasswordGetsThatOfTheSecretAgain() throws Exception {
    pods.add(pod(WEB, "web/", ""));
    settle();
    lab.users().changePassword(lab.endpoints(), WEB.user(), "by hand");
    operator = new WorkloadUsers(lab.users());
    settle();
    put(login(WEB, secrets.get(WEB)), "web/a", "1");

    // Somebody wrote another one into the Secret.
    secrets.put(WEB, "another");
    settle();
    put(login(WEB, "another"), "web/a", "1");

    lab.users().removeUser(lab.endpoints(), WEB.user());
    lab.users().removeRole(lab.endpoints(), WEB.user());
    settle();
    assertThat(get(login(WEB, secrets.get(WEB)), "web/a", "")).isEqualTo("1");
  }

  private interface Call {
    void run() throws Exception;
  }

  private static void refused(Call call, String error) {
    assertThatThrownBy(call::run).hasMessage(error);
  }

  private static PodSeen pod(Workload workload, String prefixes, String service) {
    String uid = workload.name() + prefixes;
    return new PodSeen(
        workload, uid, uid, Instant.EPOCH, false, new Declaration(workload.namespace(), KV, new TreeSet<>(List.of(prefixes.split(","))), service));
  }

  /** Passes until nothing is left to do; owners are gone with their pods. */
  private void settle() throws StoreException {
    WorkloadPlanner planner = new WorkloadPlanner();
    List<WorkloadAction> actions = List.of();
    for (int pass = 0; pass <= PASSES; pass++) {
      Map<Workload, SecretSeen> seen = secrets.keySet().stream().collect(Collectors.toMap(one -> one, one -> new SecretSeen(Optional.of(KV), true, true)));
      WorkloadObservation observed =
          new WorkloadObservation(
              KV, InjectionSpec.DEFAULTS, true, pods, seen, Optional.of(operator.read(lab.endpoints())), operator.proven(secrets), Set.of(), Map.of());
      Map<Workload, Owner> owners = planner.undecided(observed).stream().collect(Collectors.toMap(one -> one, one -> new Owner(true, List.of())));
      actions = planner.plan(observed.withOwners(owners)).actions();
      for (WorkloadAction action : actions) {
        execute(action);
      }
    }
    assertThat(actions).isEmpty();
  }

  private void execute(WorkloadAction action) throws StoreException {
    switch (action) {
      case WorkloadAction.WriteSecret one -> secrets.putIfAbsent(one.workload(), "password-" + System.nanoTime());
      case WorkloadAction.DeleteSecret one -> secrets.remove(one.workload());
      default -> operator.execute(action, lab.endpoints(), Optional.ofNullable(secrets.get(action.workload())));
    }
  }

  private String login(Workload workload, String password) {
    AuthenticateRequest request = AuthenticateRequest.newBuilder().setName(workload.user()).setPassword(password).build();
    return AuthGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS).authenticate(request).getToken();
  }

  private AuthGrpc.AuthBlockingStub auth(String token) {
    return AuthGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS).withInterceptors(MetadataUtils.newAttachHeadersInterceptor(header(token)));
  }

  private KVGrpc.KVBlockingStub kv(String token) {
    return KVGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS).withInterceptors(MetadataUtils.newAttachHeadersInterceptor(header(token)));
  }

  private static Metadata header(String token) {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER), token);
    return headers;
  }

  private void put(String token, String key, String value) {
    kv(token).put(PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).setValue(ByteString.copyFromUtf8(value)).build());
  }

  private String get(String token, String key, String end) {
    RangeRequest request = RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).setRangeEnd(ByteString.copyFromUtf8(end)).build();
    return kv(token).range(request).getKvsList().stream().map(one -> one.getValue().toStringUtf8()).collect(Collectors.joining(","));
  }
}
