package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.api.AnnotationsProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.ProtoMethodDescriptorSupplier;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthUserChangePasswordRequest;
import io.kvorum.protocol.etcdserverpb.ClusterGrpc;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.MemberListRequest;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.protocol.health.HealthGrpc;
import io.kvorum.protocol.internal.PeerGrpc;
import io.kvorum.protocol.v3electionpb.ElectionGrpc;
import io.kvorum.protocol.v3lockpb.LockGrpc;
import io.kvorum.protocol.v1.AdminGrpc;
import io.kvorum.protocol.v1.BackupGrpc;
import io.kvorum.protocol.v1.LeasesGrpc;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every method that a member serves, called by every kind of caller with permissions on. */
class PermissionSweepTest {
  private static final Metadata.Key<String> TOKEN = Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);
  private static final Pattern METHODS = Pattern.compile("grpc_server_started_total\\{grpc_method=\"(\\w+)\",grpc_service=\"([\\w.]+)\"");
  private static final Pattern PRINTED_STATUS = Pattern.compile("rpc error: code = (\\w+) desc = (.*)");
  private static final Map<String, Integer> PRINTED_CODES = Map.of("InvalidArgument", 3, "PermissionDenied", 7, "Unauthenticated", 16);
  private static final String SECRET = "value-that-nobody-else-sees";
  private static final long SECONDS = 20;

  @TempDir static Path temp;
  private static LoneMember member;
  private static HttpClient http;
  private static Map<String, String> tokens;

  @BeforeAll
  static void start() throws Exception {
    member = new LoneMember(temp.resolve("m0"), "--bcrypt-cost=4");
    member.awaitFeatureLevel();
    http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    tokens = new PermissionWorld(member.channel, SECRET).build();
    tokens.put("made-up", "madeupmadeupmade.3");
    AuthUserChangePasswordRequest change = AuthUserChangePasswordRequest.newBuilder().setName("ended").setPassword("other").build();
    AuthGrpc.newBlockingStub(member.channel).withInterceptors(PermissionWorld.token(tokens.get("root"))).userChangePassword(change);
  }

  @AfterAll
  static void stop() throws Exception {
    http.shutdownNow();
    member.close();
  }

  private static Map<String, MethodDescriptor<Message, Message>> methods(ServiceDescriptor... services) {
    Map<String, MethodDescriptor<Message, Message>> found = new HashMap<>();
    for (ServiceDescriptor service : services) {
      for (MethodDescriptor<?, ?> method : service.getMethods()) {
        @SuppressWarnings("unchecked")
        MethodDescriptor<Message, Message> typed = (MethodDescriptor<Message, Message>) method;
        found.put(method.getFullMethodName(), typed);
      }
    }
    return found;
  }

  private static Map<String, MethodDescriptor<Message, Message>> clientMethods() {
    return methods(
        KVGrpc.getServiceDescriptor(), WatchGrpc.getServiceDescriptor(), LeaseGrpc.getServiceDescriptor(), ClusterGrpc.getServiceDescriptor(),
        MaintenanceGrpc.getServiceDescriptor(), AuthGrpc.getServiceDescriptor(), LockGrpc.getServiceDescriptor(), ElectionGrpc.getServiceDescriptor(),
        HealthGrpc.getServiceDescriptor(), AdminGrpc.getServiceDescriptor(), BackupGrpc.getServiceDescriptor(), LeasesGrpc.getServiceDescriptor());
  }

  private static Message request(MethodDescriptor<Message, Message> method, String json) throws IOException {
    var marshaller = (MethodDescriptor.PrototypeMarshaller<Message>) method.getRequestMarshaller();
    Message.Builder request = marshaller.getMessagePrototype().newBuilderForType();
    JsonFormat.parser().merge(json, request);
    return request.build();
  }

  /** Code and text of the first answer, or "OK". */
  private static String call(Channel channel, MethodDescriptor<Message, Message> method, Message request, Metadata headers) throws Exception {
    CompletableFuture<String> first = new CompletableFuture<>();
    ClientCall<Message, Message> call = channel.newCall(method, CallOptions.DEFAULT);
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onMessage(Message answer) {
            first.complete(answer instanceof WatchResponse watch && watch.getCanceled() ? printed(watch.getCancelReason()) : "OK");
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            first.complete(status.isOk() ? "OK" : status.getCode().value() + " " + status.getDescription());
          }
        },
        headers);
    call.request(1);
    call.sendMessage(request);
    if (method.getType().clientSendsOneMessage()) {
      call.halfClose();
    }
    try {
      return first.get(SECONDS, TimeUnit.SECONDS);
    } finally {
      call.cancel("seen", null);
    }
  }

  private static String printed(String reason) {
    Matcher status = PRINTED_STATUS.matcher(reason);
    assertThat(status.matches()).as(reason).isTrue();
    return PRINTED_CODES.get(status.group(1)) + " " + status.group(2);
  }

  private static Metadata headers(String caller) {
    Metadata headers = new Metadata();
    if (tokens.containsKey(caller)) {
      headers.put(TOKEN, tokens.get(caller));
    }
    return headers;
  }

  @Test
  void every_method_that_is_served_is_in_the_table() throws Exception {
    Set<String> served = new TreeSet<>();
    for (MatchResult found : METHODS.matcher(get(member.url + "/metrics").body()).results().toList()) {
      served.add(found.group(2) + "/" + found.group(1));
    }
    Set<String> inTable = new TreeSet<>();
    PermissionTable.read().forEach(row -> inTable.add(row.method()));
    assertThat(inTable).isEqualTo(served).hasSizeGreaterThan(45);
  }

  @Test
  void every_caller_gets_what_the_table_says() throws Exception {
    Map<String, MethodDescriptor<Message, Message>> methods = clientMethods();
    List<String> wrong = new ArrayList<>();
    for (PermissionTable.Row row : PermissionTable.read()) {
      for (String caller : PermissionTable.CALLERS) {
        if (row.isCalledBy(caller)) {
          MethodDescriptor<Message, Message> method = methods.get(row.method());
          String found = call(member.channel, method, request(method, row.requestOf(caller, "")), headers(caller));
          compare(row, caller, found, wrong);
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  private static void compare(PermissionTable.Row row, String caller, String found, List<String> wrong) {
    if (!found.equals(row.wanted(caller))) {
      wrong.add(row.method() + " " + row.request() + " as " + caller + ": " + found + ", not " + row.wanted(caller));
    }
  }

  @Test
  void the_gateway_gives_the_same_answers() throws Exception {
    Map<String, MethodDescriptor<Message, Message>> methods = clientMethods();
    List<String> wrong = new ArrayList<>();
    int called = 0;
    for (PermissionTable.Row row : PermissionTable.read()) {
      String path = path(methods.get(row.method()));
      for (String caller : PermissionTable.CALLERS) {
        if (!path.isEmpty() && row.isCalledBy(caller)) {
          compare(row, caller, post(path, row.requestOf(caller, "-gateway"), tokens.get(caller)), wrong);
          called++;
        }
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(called).isGreaterThan(500);
  }

  private static String path(MethodDescriptor<Message, Message> method) {
    var schema = (ProtoMethodDescriptorSupplier) method.getSchemaDescriptor();
    return schema.getMethodDescriptor().getOptions().getExtension(AnnotationsProto.http).getPost();
  }

  /** Code and text of the first line, or "OK". */
  private static String post(String path, String body, String token) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(member.url + path)).timeout(Duration.ofSeconds(SECONDS));
    if (token != null) {
      request.header("Authorization", "Bearer " + token);
    }
    HttpResponse<InputStream> response = http.send(request.POST(HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofInputStream());
    try (BufferedReader lines = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
      String line = lines.readLine();
      Matcher refusal = Pattern.compile("\"code\":(\\d+),\"message\":\"(.*?)\"[,}]").matcher(line);
      if (refusal.find()) {
        return refusal.group(1) + " " + refusal.group(2);
      }
      Matcher canceled = Pattern.compile("\"cancel_reason\":\"(.*?)\"").matcher(line);
      return canceled.find() ? printed(canceled.group(1).replace("\\u003d", "=")) : "OK";
    }
  }

  private static HttpResponse<String> get(String url) throws Exception {
    return http.send(HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(SECONDS)).build(), HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void no_endpoint_without_a_token_shows_a_key_a_value_or_a_user() throws Exception {
    for (String path :
        List.of("/health", "/livez?verbose", "/readyz?verbose", "/version", "/metrics", "/debug/vars", "/", "/v3", "/v3/kv/range", "/debug/pprof/", "/v2/keys", "/config")) {
      String body = get(member.url + path).body();
      assertThat(body).as(path).doesNotContain(SECRET, "secret-key", "keeper");
    }
  }

  @Test
  void the_peer_port_serves_members_alone_and_no_client() throws Exception {
    String peer =
        ClusterGrpc.newBlockingStub(member.channel)
            .withInterceptors(PermissionWorld.token(tokens.get("root")))
            .memberList(MemberListRequest.getDefaultInstance())
            .getMembers(0)
            .getPeerURLs(0);
    ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", URI.create(peer).getPort()).usePlaintext().build();
    try {
      for (MethodDescriptor<Message, Message> method : clientMethods().values()) {
        assertThat(call(channel, method, request(method, "{}"), headers("root"))).as(method.getFullMethodName()).startsWith("12 ");
      }
      for (MethodDescriptor<Message, Message> method : methods(PeerGrpc.getServiceDescriptor()).values()) {
        // A member that joins has no id yet when it asks who the members are.
        String wanted = method.getFullMethodName().endsWith("/Members") ? "OK" : "3 peer metadata is missing";
        assertThat(call(channel, method, request(method, "{}"), headers("root"))).as(method.getFullMethodName()).isEqualTo(wanted);
        Metadata foreign = new Metadata();
        for (String name : List.of("kvorum-cluster-id", "kvorum-from", "kvorum-to")) {
          foreign.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), "5");
        }
        wanted = method.getFullMethodName().endsWith("/Members") ? "OK" : "9 cluster ID mismatch";
        assertThat(call(channel, method, request(method, "{}"), foreign)).as(method.getFullMethodName()).isEqualTo(wanted);
      }
      assertThat(get(peer + "/metrics").statusCode()).isEqualTo(404);
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void a_refused_watch_delivers_nothing_later_on_the_same_stream() throws Exception {
    try (PermissionWorld.Stream stream = new PermissionWorld.Stream(member.channel, tokens.get("keeper"))) {
      stream.watch("secret-key");
      assertThat(stream.next().getCancelReason()).contains("permission denied");
      PermissionWorld.put(member.channel, tokens.get("root"), "secret-key", SECRET);
      stream.watch("b");
      assertThat(stream.next().getCreated()).isTrue();
      PermissionWorld.put(member.channel, tokens.get("root"), "b", "seen");
      assertThat(stream.next().getEvents(0).getKv().getValue()).isEqualTo(ByteString.copyFromUtf8("seen"));
    }
  }

  @Test
  void a_caller_who_may_not_compact_hears_of_no_alarm() {
    var maintenance = MaintenanceGrpc.newBlockingStub(member.channel).withInterceptors(PermissionWorld.token(tokens.get("root")));
    AlarmRequest alarm = AlarmRequest.newBuilder().setMemberID(77).setAlarm(AlarmType.CORRUPT).setAction(AlarmRequest.AlarmAction.ACTIVATE).build();
    maintenance.alarm(alarm);
    try {
      CompactionRequest request = CompactionRequest.newBuilder().setRevision(1).build();
      assertThatThrownBy(() -> KVGrpc.newBlockingStub(member.channel).withInterceptors(PermissionWorld.token(tokens.get("keeper"))).compact(request))
          .hasMessage("PERMISSION_DENIED: etcdserver: permission denied");
      assertThatThrownBy(() -> KVGrpc.newBlockingStub(member.channel).withInterceptors(PermissionWorld.token(tokens.get("root"))).compact(request))
          .hasMessage("DATA_LOSS: etcdserver: corrupt cluster");
    } finally {
      maintenance.alarm(alarm.toBuilder().setAction(AlarmRequest.AlarmAction.DEACTIVATE).build());
    }
  }
}
