package io.kvorum.server.agent;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;

/**
 * Whose process is at the other end of a TCP connection within this network namespace: the kernel lists each socket with its owner in {@code /proc/net/tcp} and
 * {@code /proc/net/tcp6} (proc_net_tcp(5)). The row is the one whose local address is the caller's and whose remote address is ours. Only established connections count: a
 * row without a process behind it is shown as root's.
 */
final class PeerUids {
  private static final String ESTABLISHED = "01";
  private static final int LOCAL = 1;
  private static final int REMOTE = 2;
  private static final int STATE = 3;
  private static final int UID = 7;
  private static final int WORD_BYTES = 4;

  private final List<Path> tables;

  /**
   * @param proc {@code /proc/net}
   */
  PeerUids(Path proc) {
    this.tables = List.of(proc.resolve("tcp"), proc.resolve("tcp6"));
  }

  /**
   * The user id of the caller's process, as this process's user namespace counts.
   *
   * @param caller the other end
   * @param own this end
   * @return empty when the kernel does not know such a connection
   * @throws IOException when it cannot be asked
   */
  OptionalInt of(InetSocketAddress caller, InetSocketAddress own) throws IOException {
    for (Path table : tables) {
      try {
        OptionalInt uid = in(Files.readAllLines(table, StandardCharsets.US_ASCII), caller, own);
        if (uid.isPresent()) {
          return uid;
        }
      } catch (NoSuchFileException noIp6) {
        // A kernel without IPv6 has one table.
      }
    }
    return OptionalInt.empty();
  }

  private static OptionalInt in(List<String> rows, InetSocketAddress caller, InetSocketAddress own) {
    for (String row : rows.subList(Math.min(1, rows.size()), rows.size())) {
      String[] fields = row.strip().split("\\s+");
      if (fields.length > UID && fields[STATE].equals(ESTABLISHED) && is(fields[LOCAL], caller) && is(fields[REMOTE], own)) {
        return OptionalInt.of(Integer.parseUnsignedInt(fields[UID]));
      }
    }
    return OptionalInt.empty();
  }

  private static boolean is(String shown, InetSocketAddress address) {
    int colon = shown.indexOf(':');
    return Integer.parseInt(shown.substring(colon + 1), 16) == address.getPort() && address(shown.substring(0, colon)).equals(address.getAddress());
  }

  /** Words of four bytes in the machine's order, which is the low byte first on all that this runs on; an IPv4 address in IPv6 form becomes one. */
  private static InetAddress address(String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex);
    for (int word = 0; word < bytes.length; word += WORD_BYTES) {
      for (int i = 0; i < WORD_BYTES / 2; i++) {
        byte low = bytes[word + i];
        bytes[word + i] = bytes[word + WORD_BYTES - 1 - i];
        bytes[word + WORD_BYTES - 1 - i] = low;
      }
    }
    try {
      return InetAddress.getByAddress(bytes);
    } catch (java.net.UnknownHostException impossible) {
      throw new IllegalArgumentException("no address: " + hex, impossible);
    }
  }
}
