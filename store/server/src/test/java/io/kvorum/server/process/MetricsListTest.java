package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddRequest;
import io.kvorum.protocol.etcdserverpb.ClusterGrpc;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.MemberPromoteRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code /metrics} of a member under some load, beside the list of what etcd shows and what etcd's published alert rules and dashboards ask for. */
class MetricsListTest {
  private static final Pattern SAMPLE = Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)(?:\\{(.*)})? (\\S+)");
  private static final Pattern LABEL = Pattern.compile("([a-zA-Z_]+)=\"((?:[^\"\\\\]|\\\\.)*)\"");
  private static final Set<String> SHOWN = Set.of("", "event");

  private static final List<LoneMember> MEMBERS = new ArrayList<>();
  private static Page page;

  /** A family of etcd's list; {@code reason} is empty when it must be there. */
  private record Expected(String type, Set<String> labels, String reason) {}

  /** What was scraped: type and label names of each family, and all samples: labels, the name and the value as text. */
  private record Page(Map<String, String> types, Map<String, Set<String>> labels, List<Map<String, String>> samples) {
    static Page parse(String text) {
      Page page = new Page(new TreeMap<>(), new TreeMap<>(), new ArrayList<>());
      text.lines().forEach(page::line);
      return page;
    }

    private void line(String line) {
      if (line.startsWith("# TYPE ")) {
        String[] parts = line.split(" ");
        assertThat(types.put(parts[2], parts[3])).as("one head of %s", parts[2]).isNull();
        labels.put(parts[2], new TreeSet<>());
      } else if (!line.startsWith("#")) {
        Matcher sample = SAMPLE.matcher(line);
        assertThat(sample.matches()).as(line).isTrue();
        Map<String, String> all = new TreeMap<>();
        Matcher label = LABEL.matcher(sample.group(2) == null ? "" : sample.group(2));
        while (label.find()) {
          all.put(label.group(1), label.group(2));
        }
        Set<String> names = new TreeSet<>(all.keySet());
        names.remove("le");
        labels.get(family(sample.group(1))).addAll(names);
        all.put("__name__", sample.group(1));
        all.put("__value__", sample.group(3));
        samples.add(all);
      }
    }

    private String family(String name) {
      String base = name.replaceFirst("_(bucket|sum|count)$", "");
      return "histogram".equals(types.get(base)) ? base : name;
    }

    /** Sum over the samples with these labels; -1 when there are none. */
    double value(String name, String... namesAndValues) {
      Map<String, String> wanted = new TreeMap<>(Map.of("__name__", name));
      for (int i = 0; i < namesAndValues.length; i += 2) {
        wanted.put(namesAndValues[i], namesAndValues[i + 1]);
      }
      List<Map<String, String>> found = samples.stream().filter(sample -> sample.entrySet().containsAll(wanted.entrySet())).toList();
      return found.isEmpty() ? -1 : found.stream().mapToDouble(sample -> Double.parseDouble(sample.get("__value__"))).sum();
    }
  }

  @BeforeAll
  static void loadAndScrape(@TempDir Path temp) throws Exception {
    String metrics = LoneMember.freeUrl();
    MEMBERS.addAll(LoneMember.pair(temp, "--listen-metrics-urls=" + metrics, "--metrics=extensive"));
    LoneMember member = MEMBERS.getFirst();
    load(member);
    for (String path : List.of("/health", "/livez", "/readyz")) {
      get(member.url + path);
    }
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    do {
      TimeUnit.MILLISECONDS.sleep(20);
      page = Page.parse(get(metrics + "/metrics"));
      // The leader measures its peers, and sets the cluster version, a moment after it was elected.
    } while ((page.value("etcd_network_peer_round_trip_time_seconds_count") < 1 || page.value("etcd_cluster_version") < 1) && System.nanoTime() < deadline);
  }

  @AfterAll
  static void stop() throws Exception {
    for (LoneMember member : MEMBERS) {
      member.close();
    }
  }

  private static void load(LoneMember member) throws Exception {
    KVGrpc.KVBlockingStub kv = KVGrpc.newBlockingStub(member.channel).withDeadlineAfter(30, TimeUnit.SECONDS);
    ByteString key = ByteString.copyFromUtf8("k");
    PutRequest put = PutRequest.newBuilder().setKey(key).setValue(key).build();
    kv.put(put);
    long revision = kv.put(put).getHeader().getRevision();
    kv.range(RangeRequest.newBuilder().setKey(key).build());
    kv.txn(
        TxnRequest.newBuilder()
            .addSuccess(RequestOp.newBuilder().setRequestPut(put))
            .addSuccess(RequestOp.newBuilder().setRequestRange(RangeRequest.newBuilder().setKey(key)))
            .build());
    kv.compact(CompactionRequest.newBuilder().setRevision(revision).setPhysical(true).build());
    LeaseGrpc.LeaseBlockingStub leases = LeaseGrpc.newBlockingStub(member.channel).withDeadlineAfter(30, TimeUnit.SECONDS);
    long lease = leases.leaseGrant(LeaseGrantRequest.newBuilder().setTTL(60).build()).getID();
    keepAlive(member, lease);
    leases.leaseRevoke(LeaseRevokeRequest.newBuilder().setID(lease).build());
    AuthGrpc.newBlockingStub(member.channel).roleAdd(AuthRoleAddRequest.newBuilder().setName("r").build());
    promoteNobody();
    kv.deleteRange(DeleteRangeRequest.newBuilder().setKey(key).build());
  }

  /** Forwarded to the leader, which counts; so both are asked. */
  private static void promoteNobody() {
    for (LoneMember any : MEMBERS) {
      try {
        ClusterGrpc.newBlockingStub(any.channel).memberPromote(MemberPromoteRequest.newBuilder().setID(1).build());
      } catch (StatusRuntimeException expected) {
        assertThat(expected.getStatus().getDescription()).contains("member not found");
      }
    }
  }

  private static void keepAlive(LoneMember member, long lease) throws InterruptedException {
    BlockingQueue<LeaseKeepAliveResponse> answers = new LinkedBlockingQueue<>();
    StreamObserver<LeaseKeepAliveRequest> stream =
        LeaseGrpc.newStub(member.channel)
            .leaseKeepAlive(
                new StreamObserver<>() {
                  @Override
                  public void onNext(LeaseKeepAliveResponse answer) {
                    answers.add(answer);
                  }

                  @Override
                  public void onError(Throwable reason) {}

                  @Override
                  public void onCompleted() {}
                });
    stream.onNext(LeaseKeepAliveRequest.newBuilder().setID(lease).build());
    assertThat(answers.poll(20, TimeUnit.SECONDS)).isNotNull();
    stream.onCompleted();
  }

  private static String get(String url) throws IOException {
    try (var in = URI.create(url).toURL().openStream()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static Map<String, Expected> list() throws IOException {
    Map<String, Expected> list = new TreeMap<>();
    try (var in = MetricsListTest.class.getResourceAsStream("etcd-metrics.txt")) {
      new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .forEach(
              line -> {
                String[] parts = line.split(" ", 4);
                Set<String> labels = parts[2].equals("-") ? Set.of() : Set.of(parts[2].split(","));
                list.put(parts[0], new Expected(parts[1], labels, parts.length < 4 ? "" : parts[3]));
              });
    }
    return list;
  }

  @Test
  void shows_what_etcd_shows_with_its_types_and_labels() throws IOException {
    Set<String> missing = new LinkedHashSet<>();
    Set<String> wrong = new LinkedHashSet<>();
    list()
        .forEach(
            (name, expected) -> {
              String type = page.types.get(name);
              // What only a leader counts.
              boolean may = name.equals("etcd_server_learner_promote_failures") && page.value("etcd_server_is_leader") == 0;
              if (type == null) {
                if (expected.reason.isEmpty() && !may) {
                  missing.add(name);
                }
              } else if (!type.equals(expected.type) || !page.labels.get(name).equals(new TreeSet<>(expected.labels))) {
                wrong.add(name + " " + type + " " + page.labels.get(name));
              }
            });
    assertThat(missing).as("families of etcd that are not shown").isEmpty();
    assertThat(wrong).as("families that differ from etcd's").isEmpty();
  }

  @Test
  void shows_nothing_under_names_of_others_but_what_etcd_shows_too() throws IOException {
    Map<String, Expected> list = list();
    assertThat(page.types.keySet())
        .allMatch(name -> name.startsWith("kvorum_") || list.containsKey(name) && SHOWN.contains(list.get(name).reason));
  }

  /** The selectors of the rules in etcd's contrib/mixin (alerts, and the dashboards' queries), without {@code up} and the labels that Prometheus adds. */
  @Test
  void has_the_series_that_etcds_alert_rules_and_dashboards_select() {
    for (String name :
        List.of(
            "etcd_network_peer_sent_failures_total", "etcd_server_has_leader", "etcd_server_leader_changes_seen_total", "etcd_server_proposals_failed_total",
            "etcd_server_proposals_committed_total", "etcd_server_proposals_applied_total", "etcd_server_proposals_pending", "etcd_mvcc_db_total_size_in_bytes",
            "etcd_mvcc_db_total_size_in_use_in_bytes", "etcd_server_quota_backend_bytes", "process_resident_memory_bytes",
            "etcd_network_client_grpc_received_bytes_total", "etcd_network_client_grpc_sent_bytes_total", "etcd_network_peer_received_bytes_total",
            "etcd_network_peer_sent_bytes_total")) {
      assertThat(page.value(name)).as(name).isNotNegative();
    }
    for (String code : List.of("Unknown", "FailedPrecondition", "ResourceExhausted", "Internal", "Unavailable", "DataLoss", "DeadlineExceeded")) {
      assertThat(page.value("grpc_server_handled_total", "grpc_code", code, "grpc_type", "unary", "grpc_method", "Put", "grpc_service", "etcdserverpb.KV"))
          .as(code)
          .isZero();
    }
    for (String service : List.of("etcdserverpb.Watch", "etcdserverpb.Lease")) {
      for (String name : List.of("grpc_server_started_total", "grpc_server_handled_total")) {
        assertThat(page.value(name, "grpc_service", service, "grpc_type", "bidi_stream")).as(name + service).isNotNegative();
      }
    }
    assertThat(page.value("grpc_server_handling_seconds_bucket", "grpc_method", "Put", "grpc_type", "unary", "le", "+Inf")).isEqualTo(2);
    assertThat(page.value("etcd_network_peer_round_trip_time_seconds_bucket", "le", "+Inf")).isPositive();
    assertThat(page.value("etcd_network_peer_round_trip_time_seconds_bucket", "le", "3.2768")).isPositive();
    for (String name : List.of("etcd_disk_wal_fsync_duration_seconds_bucket", "etcd_disk_backend_commit_duration_seconds_bucket")) {
      assertThat(page.value(name, "le", "0.001")).as(name).isNotNegative();
      assertThat(page.value(name, "le", "8.192")).as(name).isNotNegative();
    }
  }

  @Test
  void the_page_of_variables_has_etcds_keys_and_no_arguments() throws IOException {
    String variables = get(MEMBERS.getFirst().url + "/debug/vars");
    assertThat(variables)
        .containsPattern("\"cmdline\": \\[\"[a-z]+\"]")
        .containsPattern("\"file_descriptor_limit\": [1-9]")
        .contains("\"memstats\": {\"Alloc\":", "\"raft.status\": {\"id\":\"", "\"lead\":\"", "\"leadtransferee\":\"0\"")
        .containsPattern("\"raftState\":\"State(Leader|Follower)\"")
        .doesNotContain("data-dir");
  }

  @Test
  void counts_what_was_done() {
    assertThat(page.value("grpc_server_started_total", "grpc_method", "Put")).isEqualTo(2);
    assertThat(page.value("grpc_server_handled_total", "grpc_method", "Put", "grpc_code", "OK")).isEqualTo(2);
    assertThat(page.value("grpc_server_msg_received_total", "grpc_method", "LeaseKeepAlive")).isEqualTo(1);
    assertThat(page.value("etcd_network_client_grpc_received_bytes_total")).isPositive();
    assertThat(page.value("etcd_server_client_requests_total", "client_api_version", "unknown", "type", "stream")).isEqualTo(1);
    for (String operation : List.of("Put", "Txn", "DeleteRange", "Compaction", "LeaseGrant", "LeaseRevoke", "AuthRoleAdd", "ClusterVersionSet")) {
      assertThat(page.value("etcd_server_apply_duration_seconds_count", "op", operation, "success", "true")).as(operation).isPositive();
    }
    assertThat(page.value("etcd_mvcc_put_total")).isEqualTo(3);
    assertThat(page.value("etcd_mvcc_delete_total")).isEqualTo(1);
    assertThat(page.value("etcd_mvcc_txn_total")).isEqualTo(1);
    assertThat(page.value("etcd_debugging_mvcc_total_put_size_in_bytes")).isEqualTo(6);
    assertThat(page.value("etcd_debugging_mvcc_keys_total")).isZero();
    assertThat(page.value("etcd_debugging_mvcc_db_compaction_keys_total")).isEqualTo(1);
    assertThat(page.value("etcd_debugging_lease_granted_total")).isEqualTo(1);
    assertThat(page.value("etcd_debugging_lease_revoked_total")).isEqualTo(1);
    assertThat(page.value("etcd_debugging_lease_ttl_total_bucket", "le", "64")).isEqualTo(1);
    assertThat(page.value("etcd_debugging_auth_revision")).isEqualTo(2);
    assertThat(page.value("etcd_mvcc_db_open_read_transactions")).isZero();
    assertThat(page.value("etcd_network_active_peers")).isEqualTo(1);
    assertThat(page.value("etcd_network_known_peers")).isEqualTo(2);
    assertThat(page.value("etcd_network_peer_sent_bytes_total")).isPositive();
    assertThat(page.value("etcd_network_peer_received_bytes_total")).isPositive();
    assertThat(page.value("etcd_disk_wal_fsync_duration_seconds_count")).isPositive();
    assertThat(page.value("etcd_disk_wal_write_duration_seconds_count")).isPositive();
    assertThat(page.value("etcd_server_healthcheck", "name", "linearizable_read")).isEqualTo(1);
  }
}
