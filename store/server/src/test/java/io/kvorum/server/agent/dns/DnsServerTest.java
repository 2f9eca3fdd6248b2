package io.kvorum.server.agent.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.kvorum.server.agent.registration.Endpoint;
import io.kvorum.server.front.EventLoops;
import io.kvorum.server.metrics.MetricsText;
import java.io.EOFException;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.Collections;
import java.util.Set;
import javax.naming.NameNotFoundException;
import javax.naming.NamingException;
import javax.naming.OperationNotSupportedException;
import javax.naming.directory.Attribute;
import javax.naming.directory.DirContext;
import javax.naming.directory.InitialDirContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The sockets, asked by the JDK's resolver and by messages made by hand. */
@Timeout(60)
class DnsServerTest {
  private static final String WEB = "web.services.kvorum.local";
  private static final int RECURSION_DESIRED = 0x100;
  private static final int IN = 1;

  private final EventLoops loops = EventLoops.single("dns-test");
  private final ServiceMap table = new ServiceMap("services/");
  private DnsServer server;
  private InetSocketAddress address;

  @BeforeEach
  void start() throws IOException {
    server = DnsServer.open(List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)), "services.kvorum.local", table, loops);
    address = server.addresses().getFirst();
    table.reached(1);
  }

  @AfterEach
  void stop() {
    server.close();
    loops.close();
  }

  private void put(String place, String target) {
    table.put(ByteString.copyFromUtf8("services/" + place), ByteString.copyFromUtf8(new Endpoint(target, Map.of("weight", "3")).toJson()));
  }

  /** By the JDK's resolver: UDP, and TCP for what was truncated. */
  private Set<String> resolve(String name, String type) throws NamingException {
    Hashtable<String, String> settings = new Hashtable<>();
    settings.put("java.naming.factory.initial", "com.sun.jndi.dns.DnsContextFactory");
    settings.put("java.naming.provider.url", "dns://127.0.0.1:" + address.getPort());
    DirContext context = new InitialDirContext(settings);
    try {
      Attribute found = context.getAttributes(name, new String[] {type}).get(type);
      Set<String> values = new TreeSet<>();
      if (found != null) {
        for (Object value : Collections.list(found.getAll())) {
          values.add((String) value);
        }
      }
      return values;
    } finally {
      context.close();
    }
  }

  private DnsMessage udp(String name, int type, int ednsBytes) throws IOException {
    return DnsMessage.overUdp(address, DnsMessage.query(4711, RECURSION_DESIRED, name, type, IN, ednsBytes, 0));
  }

  @Test
  void a_resolver_finds_addresses_and_services() throws Exception {
    put("web/a", "10.0.0.1:8080");
    put("web/b", "10.0.0.2:8081");
    put("web/c", "[fd00::3]:8082");
    put("db/x", "db.example.com:5432");
    assertThat(resolve(WEB, "A")).containsExactly("10.0.0.1", "10.0.0.2");
    assertThat(resolve("wEb.SERVICES.kvorum.local", "A")).hasSize(2);
    assertThat(resolve(WEB, "AAAA")).containsExactly("fd00::3");
    assertThat(resolve("b." + WEB, "A")).containsExactly("10.0.0.2");
    assertThat(resolve(WEB, "SRV"))
        .containsExactly("0 3 8080 a." + WEB + ".", "0 3 8081 b." + WEB + ".", "0 3 8082 c." + WEB + ".")
        .isEqualTo(resolve("_web._tcp.services.kvorum.local", "SRV"));
    assertThat(resolve("db.services.kvorum.local", "SRV")).containsExactly("0 3 5432 db.example.com.");
    assertThat(resolve("db.services.kvorum.local", "A")).isEmpty();
    assertThat(resolve("services.kvorum.local", "SOA")).hasSize(1);
    assertThatThrownBy(() -> resolve("none.services.kvorum.local", "A")).isInstanceOf(NameNotFoundException.class);
    assertThatThrownBy(() -> resolve("example.com", "A")).isInstanceOf(OperationNotSupportedException.class);
  }

  @Test
  void what_is_too_long_for_a_datagram_is_had_over_tcp() throws Exception {
    for (int i = 0; i < 200; i++) {
      put("web/pod-" + i, "10.0.1." + i + ":80");
    }
    assertThat(resolve(WEB, "A")).hasSize(200);
    assertThat(resolve(WEB, "SRV")).hasSize(200);
    MetricsText metrics = new MetricsText();
    server.collect(metrics);
    // The resolver asks again when an answer takes longer than a second.
    assertThat(metrics.toString())
        .containsPattern("kvorum_agent_dns_truncated_total [2-9]")
        .containsPattern("kvorum_agent_dns_connections_total [2-9]")
        .containsPattern("kvorum_agent_dns_queries_total\\{type=\"SRV\"} [2-9]");
  }

  @Test
  void the_message_is_as_the_standard_has_it() throws Exception {
    put("web/a", "10.0.0.1:8080");
    DnsMessage message = udp("WeB.services.KVORUM.local", Resource.SRV, 0);
    assertThat(message.id()).isEqualTo(4711);
    // Response, authoritative, recursion desired as asked and not available.
    assertThat(message.flags()).isEqualTo(0x8500);
    assertThat(message.questions()).containsExactly("WeB.services.KVORUM.local. 33 1");
    assertThat(message.answers()).containsExactly(new DnsMessage.Entry("WeB.services.KVORUM.local.", Resource.SRV, IN, 1, "0 3 8080 a.web.services.kvorum.local."));
    assertThat(message.additional()).containsExactly(new DnsMessage.Entry("a.web.services.kvorum.local.", Resource.A, IN, 1, "0a000001"));
    DnsMessage none = udp("none.services.kvorum.local", Resource.A, 0);
    assertThat(none.code()).isEqualTo(Answer.NAME_ERROR);
    assertThat(none.authority()).hasSize(1);
    assertThat(none.authority().getFirst().owner()).isEqualTo("services.kvorum.local.");
  }

  @Test
  void a_datagram_is_as_long_as_the_client_takes_and_never_longer() throws Exception {
    Random random = new Random(5);
    for (int i = 0; i < 300; i++) {
      put("web/pod-" + i, "10.0." + i / 250 + "." + i % 250 + ":80");
    }
    for (int ednsBytes : new int[] {0, 1, 512, 700, 1_232, 4_096, 65_535, 512 + random.nextInt(4_000)}) {
      int limit = ednsBytes == 0 ? 512 : Math.clamp(ednsBytes, 512, 4_096);
      for (int type : new int[] {Resource.A, Resource.SRV, Resource.ANY}) {
        DnsMessage message = udp(WEB, type, ednsBytes);
        assertThat(message.truncated()).isTrue();
        // A record more would not have fitted.
        assertThat(message.bytes()).isBetween(limit - 60, limit);
        assertThat(message.additional().stream().filter(entry -> entry.type() == 41)).hasSize(ednsBytes == 0 ? 0 : 1);
      }
    }
    DnsMessage whole = DnsMessage.overTcp(address, DnsMessage.query(1, 0, WEB, Resource.SRV, IN, 0, 0));
    assertThat(whole.truncated()).isFalse();
    assertThat(whole.answers()).hasSize(300);
    assertThat(whole.additional()).hasSize(300);
  }

  @Test
  void what_is_not_served_is_answered_with_its_code() throws Exception {
    put("web/a", "10.0.0.1:8080");
    int chaos = 3;
    int axfr = 252;
    int status = 2 << 11;
    assertThat(DnsMessage.overUdp(address, DnsMessage.query(1, 0, WEB, Resource.A, chaos, 0, 0)).code()).isEqualTo(Answer.REFUSED);
    assertThat(DnsMessage.overTcp(address, DnsMessage.query(1, 0, WEB, axfr, IN, 0, 0)).code()).isEqualTo(Answer.REFUSED);
    assertThat(DnsMessage.overUdp(address, DnsMessage.query(1, status, WEB, Resource.A, IN, 0, 0)).code()).isEqualTo(Answer.NOT_IMPLEMENTED);
    DnsMessage version = DnsMessage.overUdp(address, DnsMessage.query(1, 0, WEB, Resource.A, IN, 1_232, 1));
    assertThat(version.code()).isZero();
    assertThat(version.answers()).isEmpty();
    assertThat(version.additional().getFirst().ttl() >> 24).as("extended code").isEqualTo(1);
    table.forget();
    assertThat(udp(WEB, Resource.A, 0).code()).isEqualTo(Answer.SERVER_FAILURE);
  }

  @Test
  void rubbish_is_not_answered_and_harms_nobody() throws Exception {
    Random random = new Random(9);
    put("web/a", "10.0.0.1:8080");
    try (DatagramSocket socket = new DatagramSocket()) {
      byte[] good = DnsMessage.query(1, 0, WEB, Resource.A, IN, 1_232, 0);
      for (int i = 0; i < 500; i++) {
        byte[] bytes = i % 2 == 0 ? new byte[random.nextInt(100)] : good.clone();
        if (i % 2 == 0) {
          random.nextBytes(bytes);
        } else {
          bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
        socket.send(new DatagramPacket(bytes, bytes.length, address));
      }
      socket.setSoTimeout(300);
      DatagramPacket response = new DatagramPacket(new byte[512], 512);
      byte[] answerToNothing = DnsMessage.query(2, 0x8000, WEB, Resource.A, IN, 0, 0);
      try (DatagramSocket other = new DatagramSocket()) {
        other.setSoTimeout(300);
        other.send(new DatagramPacket(answerToNothing, answerToNothing.length, address));
        assertThatThrownBy(() -> other.receive(response)).isInstanceOf(SocketTimeoutException.class);
      }
    }
    assertThat(udp(WEB, Resource.A, 0).answers()).hasSize(1);
    try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
      socket.getOutputStream().write(new byte[] {0, 5, 1, 2, 3, 4, 5});
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
    assertThat(resolve(WEB, "A")).hasSize(1);
  }

  @Test
  void connections_and_their_queries_are_bounded() throws Exception {
    put("web/a", "10.0.0.1:8080");
    byte[] query = DnsMessage.query(1, 0, WEB, Resource.A, IN, 0, 0);
    try (Socket long_ = new Socket(address.getAddress(), address.getPort())) {
      long_.setSoTimeout(5_000);
      for (int i = 0; i < DnsServer.QUERIES_MAX; i++) {
        DnsMessage.send(long_, query);
        assertThat(DnsMessage.receive(long_).answers()).hasSize(1);
      }
      assertThat(long_.getInputStream().read()).isEqualTo(-1);
    }
    List<Socket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < DnsServer.CONNECTIONS_MAX; i++) {
        Socket socket = new Socket(address.getAddress(), address.getPort());
        socket.setSoTimeout(5_000);
        sockets.add(socket);
        DnsMessage.send(socket, query);
        assertThat(DnsMessage.receive(socket).answers()).hasSize(1);
      }
      try (Socket more = new Socket(address.getAddress(), address.getPort())) {
        more.setSoTimeout(5_000);
        assertThatThrownBy(() -> DnsMessage.receive(more)).isInstanceOfAny(EOFException.class, java.net.SocketException.class);
      }
      assertThat(udp(WEB, Resource.A, 0).answers()).hasSize(1);
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }

  @Test
  void only_loopback_addresses_are_listened_on() throws Exception {
    for (String wrong : List.of("0.0.0.0", "::", "10.1.2.3")) {
      assertThatThrownBy(() -> DnsServer.open(List.of(new InetSocketAddress(InetAddress.ofLiteral(wrong), 0)), "services.kvorum.local", table, loops))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is no loopback address");
    }
    assertThatThrownBy(() -> DnsServer.open(List.of(address), "services.kvorum.local", table, loops)).isInstanceOf(IOException.class).hasMessageContaining("--dns-listen=127.0.0.1:");
  }
}
