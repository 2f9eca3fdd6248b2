package io.kvorum.operator.runtime.local;

import io.kvorum.operator.api.TlsSpec;
import io.kvorum.operator.desired.MemberConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Where each member is on this machine. Ports go by slots that are given out when a member is made and free again when it is gone; the first three are the
 * customary 2379, 22379 and 32379, each peer port is one above.
 *
 * @param root folder of the cluster
 * @param basePort client port of slot 0, at most {@link #MAX_BASE_PORT}
 * @param tls which planes are encrypted; with an encrypted client port, health and metrics have a port of their own in plain text, two above it
 */
record Places(Path root, int basePort, TlsSpec tls) {
  /** Seven voters, a learner, and two that are on their way out. */
  static final int SLOTS = 10;

  private static final List<Integer> OFFSETS = List.of(0, 20_000, 30_000, 40_000, 50_000);
  private static final int SECOND_ROW = 100;
  static final int MAX_BASE_PORT = 65_535 - 50_000 - SECOND_ROW - 2;

  int clientPort(int slot) {
    return basePort + OFFSETS.get(slot % OFFSETS.size()) + SECOND_ROW * (slot / OFFSETS.size());
  }

  String clientUrl(int slot) {
    return scheme(tls.client()) + "127.0.0.1:" + clientPort(slot);
  }

  String peerUrl(int slot) {
    return scheme(tls.peer()) + "127.0.0.1:" + (clientPort(slot) + 1);
  }

  /** Where health is asked for. */
  String healthUrl(int slot) {
    return tls.client().on() ? "http://127.0.0.1:" + (clientPort(slot) + 2) : clientUrl(slot);
  }

  private static String scheme(TlsSpec.Plane plane) {
    return plane.on() ? "https://" : "http://";
  }

  Path tlsFolder() {
    return root.resolve("tls");
  }

  /**
   * Gives a member the lowest free slot; one that has a slot keeps it.
   *
   * @throws IllegalStateException when all {@link #SLOTS} are taken
   */
  static SortedMap<String, Integer> withSlot(SortedMap<String, Integer> slots, String member) {
    if (slots.containsKey(member)) {
      return slots;
    }
    TreeSet<Integer> taken = new TreeSet<>(slots.values());
    for (int slot = 0; slot < SLOTS; slot++) {
      if (!taken.contains(slot)) {
        TreeMap<String, Integer> next = new TreeMap<>(slots);
        next.put(member, slot);
        return next;
      }
    }
    throw new IllegalStateException("all " + SLOTS + " places for members are taken");
  }

  MemberConfig.Place place(String member, int slot) {
    String client = clientUrl(slot);
    String peer = peerUrl(slot);
    return new MemberConfig.Place(member, client, client, peer, peer, tls.client().on() ? healthUrl(slot) : "", claim(member).resolve("data").toString(), tlsFolder().resolve(member).toString());
  }

  Path claim(String member) {
    return root.resolve("claims").resolve(member);
  }

  Path configFile(String member) {
    return root.resolve("config").resolve(member + ".yaml");
  }

  Path log(String member) {
    return root.resolve("logs").resolve(member + ".log");
  }
}
