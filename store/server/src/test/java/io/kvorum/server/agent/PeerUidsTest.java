package io.kvorum.server.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows of the kernel's tables, and the real ones. */
class PeerUidsTest {
  private static final String HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

  @TempDir Path proc;

  private static String row(String local, String remote, String state, long uid) {
    return "   1: " + local + " " + remote + " " + state + " 00000000:00000000 00:00000000 00000000  " + uid + "        0 12345 1 0000000000000000 20 4 30 10 -1\n";
  }

  private static InetSocketAddress at(String host, int port) {
    return new InetSocketAddress(InetAddress.ofLiteral(host), port);
  }

  @Test
  void the_callers_own_row_counts_and_only_while_it_is_established() throws IOException {
    Files.writeString(
        proc.resolve("tcp"),
        HEAD
            + row("0100007F:094B", "0100007F:9C40", "01", 1)
            + row("0100007F:9C40", "0100007F:094B", "01", 1000)
            + row("0100007F:9C41", "0100007F:094B", "06", 0)
            + row("0100007F:9C42", "0100007F:094C", "01", 1002)
            + row("0200007F:9C43", "0100007F:094B", "01", 4_000_000_000L));
    Files.writeString(
        proc.resolve("tcp6"),
        HEAD
            + row("0000000000000000FFFF00000100007F:9C44", "0000000000000000FFFF00000100007F:094B", "01", 1004)
            + row("00000000000000000000000001000000:9C45", "00000000000000000000000001000000:094B", "01", 1005));
    PeerUids uids = new PeerUids(proc);
    InetSocketAddress own = at("127.0.0.1", 2379);
    assertThat(uids.of(at("127.0.0.1", 40_000), own)).hasValue(1000);
    assertThat(uids.of(at("127.0.0.1", 40_001), own)).as("no process is behind it").isEmpty();
    assertThat(uids.of(at("127.0.0.1", 40_002), own)).as("a connection to another port").isEmpty();
    assertThat(uids.of(at("127.0.0.2", 40_003), own)).hasValue((int) 4_000_000_000L);
    assertThat(uids.of(at("127.0.0.1", 40_003), own)).as("the same port of another address").isEmpty();
    assertThat(uids.of(at("127.0.0.1", 40_004), own)).as("IPv4 on an IPv6 socket").hasValue(1004);
    assertThat(uids.of(at("::1", 40_005), at("::1", 2379))).hasValue(1005);
  }

  @Test
  void without_ipv6_there_is_one_table() throws IOException {
    Files.writeString(proc.resolve("tcp"), HEAD);
    assertThat(new PeerUids(proc).of(at("127.0.0.1", 1), at("127.0.0.1", 2))).isEmpty();
  }

  @Test
  void the_kernel_knows_this_process() throws IOException {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Socket caller = new Socket(server.getInetAddress(), server.getLocalPort());
        Socket accepted = server.accept()) {
      int uid = (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
      assertThat(new PeerUids(Path.of("/proc/net")).of((InetSocketAddress) caller.getLocalSocketAddress(), (InetSocketAddress) accepted.getLocalSocketAddress()))
          .hasValue(uid);
    }
  }
}
