package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The JSON gateway over real connections. */
class GatewayTest {
  private static final long SECONDS = 20;

  @TempDir static Path temp;
  private static LoneMember member;
  private static HttpClient client;

  @BeforeAll
  static void start() throws Exception {
    member = new LoneMember(temp.resolve("m0"));
    client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  }

  @AfterAll
  static void stop() throws Exception {
    client.shutdownNow();
    member.close();
  }

  private static HttpRequest post(String path, String body) {
    return HttpRequest.newBuilder(URI.create(member.url + path)).timeout(Duration.ofSeconds(SECONDS)).POST(HttpRequest.BodyPublishers.ofString(body)).build();
  }

  private static HttpResponse<String> call(String path, String body) throws IOException, InterruptedException {
    return client.send(post(path, body), HttpResponse.BodyHandlers.ofString());
  }

  private static BufferedReader open(String path, String body) throws IOException, InterruptedException {
    HttpResponse<InputStream> response = client.send(post(path, body), HttpResponse.BodyHandlers.ofInputStream());
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("transfer-encoding")).hasValue("chunked");
    assertThat(response.headers().firstValue("content-type")).hasValue("application/json");
    assertThat(response.headers().firstValue("access-control-allow-origin")).hasValue("*");
    return new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String put(String key, String value) throws IOException, InterruptedException {
    return call("/v3/kv/put", "{\"key\":\"" + base64(key) + "\",\"value\":\"" + base64(value) + "\"}").body();
  }

  @Test
  void keys_are_written_and_read() throws Exception {
    assertThat(put("a", "1")).matches("\\{\"header\":\\{\"cluster_id\":\"\\d+\",\"member_id\":\"\\d+\",\"revision\":\"\\d+\",\"raft_term\":\"\\d+\"}}");
    HttpResponse<String> range = call("/v3/kv/range", "{\"key\":\"YQ==\"}");
    assertThat(range.statusCode()).isEqualTo(200);
    assertThat(range.headers().firstValue("content-type")).hasValue("application/json");
    assertThat(range.body()).matches(".*\"kvs\":\\[\\{\"key\":\"YQ==\",\"create_revision\":\"\\d+\",\"mod_revision\":\"\\d+\",\"version\":\"1\",\"value\":\"MQ==\"}],\"count\":\"1\"}");
    assertThat(call("/v3beta/kv/range", "{\"key\":\"YQ==\",\"countOnly\":true}").body()).endsWith(",\"count\":\"1\"}");
    String txn =
        "{\"compare\":[{\"target\":\"VALUE\",\"key\":\"YQ==\",\"value\":\"MQ==\"}],\"success\":[{\"requestRange\":{\"key\":\"YQ==\"}},{\"request_put\":{\"key\":\"Yg==\"}}]}";
    assertThat(call("/v3/kv/txn", txn).body()).contains("\"succeeded\":true,\"responses\":[{\"response_range\":{\"header\":{\"revision\":", "{\"response_put\":{\"header\":{");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "POST|/v3/kv/put|{}|400|{\"code\":3,\"message\":\"etcdserver: key is not provided\"}",
        "POST|/v3/kv/range||400|{\"code\":3,\"message\":\"etcdserver: key is not provided\"}",
        "POST|/v3/kv/range|{\"key\":\"YQ==\",\"revision\":\"99999\"}|400|{\"code\":11,\"message\":\"etcdserver: mvcc: required revision is a future revision\"}",
        "POST|/v3/lease/revoke|{\"ID\":\"99\"}|404|{\"code\":5,\"message\":\"etcdserver: requested lease not found\"}",
        "POST|/v3/kv/lease/revoke|{\"ID\":99}|404|{\"code\":5,\"message\":\"etcdserver: requested lease not found\"}",
        "POST|/v3/election/leader|{\"name\":\"bm9uZQ==\"}|500|{\"code\":2,\"message\":\"election: no leader\"}",
        "POST|/v3/kv/none|{}|404|{\"code\":5,\"message\":\"Not Found\"}",
        "GET|/v3/kv/range||501|{\"code\":12,\"message\":\"Method Not Allowed\"}",
        "GET|/v3/none||404|{\"code\":5,\"message\":\"Not Found\"}",
      })
  void refusals_have_a_code_a_message_and_a_status(String method, String path, String body, int status, String answer) throws Exception {
    HttpRequest.BodyPublisher content = body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body);
    HttpRequest request = HttpRequest.newBuilder(URI.create(member.url + path)).timeout(Duration.ofSeconds(SECONDS)).method(method, content).build();
    HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
    assertThat(response.body()).isEqualTo(answer);
    assertThat(response.statusCode()).isEqualTo(status);
    assertThat(response.headers().firstValue("content-type")).hasValue("application/json");
  }

  @Test
  void what_is_no_json_is_refused_and_the_old_interface_is_not_there() throws Exception {
    assertThat(call("/v3/kv/range", "{\"key\":").statusCode()).isEqualTo(400);
    assertThat(call("/v3/kv/range", "[1]").body()).startsWith("{\"code\":3,\"message\":\"");
    HttpResponse<String> old = call("/v2/keys", "{}");
    assertThat(old.statusCode()).isEqualTo(404);
    assertThat(old.body()).isEqualTo("404 page not found\n");
  }

  @Test
  void what_is_large_is_taken_as_on_the_way_of_grpc() throws Exception {
    String most = Base64.getEncoder().encodeToString(new byte[1_572_864 - 100]);
    assertThat(call("/v3/kv/put", "{\"key\":\"bGFyZ2U=\",\"value\":\"" + most + "\"}").statusCode()).isEqualTo(200);
    String more = Base64.getEncoder().encodeToString(new byte[2_097_153]);
    HttpResponse<String> refused = call("/v3/kv/put", "{\"key\":\"bGFyZ2U=\",\"value\":\"" + more + "\"}");
    assertThat(refused.statusCode()).isEqualTo(429);
    assertThat(refused.body()).isEqualTo("{\"code\":8,\"message\":\"grpc: received message larger than max (2097165 vs. 2097152)\"}");
  }

  @Test
  void a_member_without_gateway_knows_no_such_path() throws Exception {
    try (LoneMember without = new LoneMember(temp.resolve("without"), "--enable-grpc-gateway=false")) {
      HttpRequest request = HttpRequest.newBuilder(URI.create(without.url + "/v3/kv/range")).POST(HttpRequest.BodyPublishers.ofString("{}")).build();
      HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
      assertThat(response.statusCode()).isEqualTo(404);
      assertThat(response.body()).isEqualTo("404 page not found\n");
    }
  }

  @Test
  void a_watch_stays_open_and_sends_a_line_for_each_answer() throws Exception {
    String requests = "{\"create_request\":{\"key\":\"" + base64("w1") + "\"}}\n{\"createRequest\":{\"key\":\"" + base64("w2") + "\",\"watch_id\":\"7\",\"filters\":[\"NODELETE\"]}}";
    try (BufferedReader lines = open("/v3/watch", requests)) {
      assertThat(lines.readLine()).startsWith("{\"result\":{\"header\":{\"cluster_id\":").endsWith("},\"created\":true}}");
      assertThat(lines.readLine()).endsWith("},\"watch_id\":\"7\",\"created\":true}}");
      put("w1", "x");
      assertThat(lines.readLine()).contains("\"events\":[{\"kv\":{\"key\":\"" + base64("w1") + "\",\"create_revision\":\"");
      put("w2", "y");
      assertThat(lines.readLine()).contains("\"watch_id\":\"7\",\"events\":[{\"kv\":{\"key\":\"" + base64("w2") + "\"");
      call("/v3/kv/deleterange", "{\"key\":\"" + base64("w1") + "\"}");
      assertThat(lines.readLine()).contains("\"events\":[{\"type\":\"DELETE\",\"kv\":{\"key\":\"" + base64("w1") + "\",\"mod_revision\":\"");
    }
  }

  @Test
  void a_slow_reader_gets_every_event() throws Exception {
    try (BufferedReader lines = open("/v3/watch", "{\"create_request\":{\"key\":\"" + base64("slow") + "\"}}")) {
      assertThat(lines.readLine()).contains("\"created\":true");
      String value = "v".repeat(300_000);
      for (int i = 0; i < 40; i++) {
        put("slow", value + i);
      }
      int seen = 0;
      while (seen < 40) {
        String line = lines.readLine();
        for (int at = line.indexOf("\"version\":"); at >= 0; at = line.indexOf("\"version\":", at + 1)) {
          seen++;
          assertThat(line.substring(at)).startsWith("\"version\":\"" + seen + "\"");
        }
      }
    }
  }

  @Test
  void a_closed_connection_ends_its_watches() throws Exception {
    String body = "{\"create_request\":{\"key\":\"" + base64("closing") + "\"}}";
    URI uri = URI.create(member.url);
    try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
      socket.getOutputStream().write(("POST /v3/watch HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length() + "\r\n\r\n" + body).getBytes(StandardCharsets.UTF_8));
      BufferedReader lines = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
      String line = lines.readLine();
      while (line != null && !line.contains("\"created\":true")) {
        line = lines.readLine();
      }
      assertThat(line).isNotNull();
      assertThat(watchers()).isPositive();
    }
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (watchers() > 0) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.sleep(20);
    }
  }

  private static int watchers() throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(member.url + "/metrics")).build();
    String metrics = client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    return metrics.lines().filter(line -> line.startsWith("etcd_debugging_mvcc_watcher_total ")).mapToInt(line -> Integer.parseInt(line.substring(line.indexOf(' ') + 1))).sum();
  }

  @Test
  void leases_are_granted_and_renewed() throws Exception {
    assertThat(call("/v3/lease/grant", "{\"TTL\":60,\"ID\":4242}").body()).endsWith(",\"ID\":\"4242\",\"TTL\":\"60\"}");
    assertThat(call("/v3/lease/keepalive", "{\"ID\":\"4242\"}").body()).startsWith("{\"result\":{\"header\":{").endsWith(",\"ID\":\"4242\",\"TTL\":\"60\"}}\n");
    assertThat(call("/v3/kv/lease/timetolive", "{\"ID\":4242}").body()).contains("\"grantedTTL\":\"60\"");
    assertThat(call("/v3/lease/leases", "{}").body()).contains("\"leases\":[{\"ID\":\"4242\"}]");
  }

  @Test
  void a_lock_waits_and_an_election_is_observed() throws Exception {
    assertThat(call("/v3/lease/grant", "{\"TTL\":60,\"ID\":256}").statusCode()).isEqualTo(200);
    assertThat(call("/v3/lock/lock", "{\"name\":\"" + base64("l") + "\",\"lease\":256}").body()).endsWith(",\"key\":\"" + base64("l/100") + "\"}");
    CompletableFuture<HttpResponse<String>> second = client.sendAsync(post("/v3/lock/lock", "{\"name\":\"" + base64("l") + "\"}"), HttpResponse.BodyHandlers.ofString());
    try (BufferedReader lines = open("/v3/election/observe", "{\"name\":\"" + base64("e") + "\"}", () -> call("/v3/election/campaign", "{\"name\":\"" + base64("e") + "\",\"lease\":256,\"value\":\"YQ==\"}"))) {
      assertThat(lines.readLine()).contains("\"kv\":{\"key\":\"" + base64("e/100") + "\"").endsWith("\"value\":\"YQ==\",\"lease\":\"256\"}}}");
    }
    assertThat(second.isDone()).isFalse();
    assertThat(call("/v3/lock/unlock", "{\"key\":\"" + base64("l/100") + "\"}").statusCode()).isEqualTo(200);
    assertThat(second.get(SECONDS, TimeUnit.SECONDS).body()).contains("\"key\":\"");
  }

  private interface Action {
    Object run() throws Exception;
  }

  /** The headers of a stream come with its first line, which needs something to happen. */
  private static BufferedReader open(String path, String body, Action meanwhile) throws Exception {
    CompletableFuture<HttpResponse<InputStream>> response = client.sendAsync(post(path, body), HttpResponse.BodyHandlers.ofInputStream());
    meanwhile.run();
    return new BufferedReader(new InputStreamReader(response.get(SECONDS, TimeUnit.SECONDS).body(), StandardCharsets.UTF_8));
  }
}
