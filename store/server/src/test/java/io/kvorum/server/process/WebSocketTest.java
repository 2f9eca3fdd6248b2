package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The gateway over WebSockets, as browsers use it. */
class WebSocketTest {
  private static final long SECONDS = 20;
  private static final String CLOSED = "closed";

  @TempDir static Path temp;
  private static LoneMember member;
  private static HttpClient client;

  @BeforeAll
  static void start() throws Exception {
    member = new LoneMember(temp.resolve("m0"));
    client = HttpClient.newHttpClient();
  }

  @AfterAll
  static void stop() throws Exception {
    client.shutdownNow();
    member.close();
  }

  /** A connection and what comes from the other side. */
  private record Connection(WebSocket socket, BlockingQueue<String> seen) {
    void send(String text) throws Exception {
      socket.sendText(text, true).get(SECONDS, TimeUnit.SECONDS);
    }

    String next() throws InterruptedException {
      return seen.poll(SECONDS, TimeUnit.SECONDS);
    }
  }

  private static Connection open(String path, String... protocols) throws Exception {
    BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    WebSocket.Listener listener =
        new WebSocket.Listener() {
          private final StringBuilder text = new StringBuilder();

          @Override
          public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
              seen.add(text.toString());
              text.setLength(0);
            }
            socket.request(1);
            return null;
          }

          @Override
          public CompletionStage<?> onPong(WebSocket socket, ByteBuffer message) {
            seen.add("pong");
            socket.request(1);
            return null;
          }

          @Override
          public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
            seen.add(CLOSED);
            return null;
          }

          @Override
          public void onError(WebSocket socket, Throwable error) {
            seen.add(CLOSED);
          }
        };
    WebSocket.Builder builder = client.newWebSocketBuilder();
    if (protocols.length > 0) {
      builder.subprotocols(protocols[0], java.util.Arrays.copyOfRange(protocols, 1, protocols.length));
    }
    return new Connection(builder.buildAsync(URI.create(member.url.replace("http", "ws") + path), listener).get(SECONDS, TimeUnit.SECONDS), seen);
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static void put(String key) throws Exception {
    Connection once = open("/v3/kv/put");
    once.send("{\"key\":\"" + base64(key) + "\"}");
    assertThat(once.next()).startsWith("{\"header\":{");
    assertThat(once.next()).isEqualTo(CLOSED);
  }

  private static String create(String key) {
    return "{\"create_request\":{\"key\":\"" + base64(key) + "\"}}";
  }

  @Test
  void each_message_is_a_request_and_each_line_a_message() throws Exception {
    Connection watch = open("/v3/watch");
    watch.send(create("a"));
    assertThat(watch.next()).startsWith("{\"result\":{\"header\":").endsWith("\"created\":true}}");
    put("a");
    assertThat(watch.next()).contains("\"events\":[{\"kv\":{\"key\":\"" + base64("a"));
    watch.send(create("b") + create("c"));
    assertThat(List.of(watch.next(), watch.next())).allSatisfy(answer -> assertThat(answer).contains("\"created\":true"));
    watch.socket().sendPing(ByteBuffer.allocate(0)).get(SECONDS, TimeUnit.SECONDS);
    assertThat(watch.next()).isEqualTo("pong");
    watch.socket().sendBinary(ByteBuffer.wrap(create("d").getBytes(StandardCharsets.UTF_8)), true).get(SECONDS, TimeUnit.SECONDS);
    assertThat(watch.next()).contains("\"created\":true");
    watch.socket().sendClose(WebSocket.NORMAL_CLOSURE, "").get(SECONDS, TimeUnit.SECONDS);
    assertThat(watch.next()).isEqualTo(CLOSED);
  }

  @Test
  void many_requests_in_a_row_are_all_answered_in_order() throws Exception {
    Connection renewals = open("/v3/lease/keepalive");
    List<String> answers = new ArrayList<>();
    for (int i = 1; i <= 300; i++) {
      renewals.send("{\"ID\":" + i + "}");
    }
    for (int i = 1; i <= 300; i++) {
      answers.add(renewals.next());
    }
    for (int i = 1; i <= 300; i++) {
      assertThat(answers.get(i - 1)).endsWith("\"ID\":\"" + i + "\"}}");
    }
  }

  @Test
  void refusals_come_as_messages_and_end_the_connection() throws Exception {
    Connection none = open("/v3/none");
    assertThat(none.next()).isEqualTo("{\"code\":5,\"message\":\"Not Found\"}");
    assertThat(none.next()).isEqualTo(CLOSED);
    Connection range = open("/v3/kv/range", "Bearer", "unused");
    assertThat(range.socket().getSubprotocol()).isEqualTo("Bearer");
    range.send("{}");
    assertThat(range.next()).isEqualTo("{\"code\":3,\"message\":\"etcdserver: key is not provided\"}");
    assertThat(range.next()).isEqualTo(CLOSED);
    assertThatThrownBy(() -> open("/health")).hasMessageContaining("WebSocketHandshakeException");
  }

  @Test
  void another_version_is_refused_and_the_connection_goes_on() throws Exception {
    URI url = URI.create(member.url);
    try (Socket socket = new Socket(url.getHost(), url.getPort())) {
      socket.setSoTimeout((int) TimeUnit.SECONDS.toMillis(SECONDS));
      String upgrade = "GET /v3/watch HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 12\r\n\r\n";
      String more = "GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write((upgrade + more).getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      assertThat(answer).startsWith("HTTP/1.1 400 Bad Request").containsIgnoringCase("sec-websocket-version: 13").contains("HTTP/1.1 200 OK");
    }
  }
}
