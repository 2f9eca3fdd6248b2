package io.kvorum.server.up;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@code kvorum up} was asked for.
 *
 * @param members number of members, 1 to 5
 * @param data directory that holds one data directory and one log file for each member
 * @param basePort client port of the first member; the others are {@link #PORT_OFFSETS} above, each peer port is one above its client port
 */
public record UpOptions(int members, Path data, int basePort) {
  /** Distances of the client ports; those of the first three are the customary 2379, 22379 and 32379. */
  static final List<Integer> PORT_OFFSETS = List.of(0, 20_000, 30_000, 40_000, 50_000);

  static final String USAGE =
      """
      usage: kvorum up [--members N] [--data DIR] [--base-port PORT]
        Runs a cluster on this machine until Ctrl-C.
        --members N       1 to 5 (default 3; an even number tolerates no more failures than the odd one below it)
        --data DIR        data and logs, kept for the next time (default ./kvorum-data)
        --base-port PORT  client port of the first member (default 2379); the others are 20000, 30000, ... above
      """;

  /** One member's place. */
  record Place(String name, int clientPort, int peerPort, Path directory, Path log) {
    String clientUrl() {
      return "http://127.0.0.1:" + clientPort;
    }

    String peerUrl() {
      return "http://127.0.0.1:" + peerPort;
    }
  }

  List<Place> places() {
    List<Place> places = new ArrayList<>();
    for (int i = 0; i < members; i++) {
      int port = basePort + PORT_OFFSETS.get(i);
      String name = "m" + (i + 1);
      places.add(new Place(name, port, port + 1, data.resolve(name), data.resolve(name + ".log")));
    }
    return places;
  }

  /** The value of --initial-cluster. */
  String initialCluster() {
    List<String> parts = new ArrayList<>();
    places().forEach(place -> parts.add(place.name() + "=" + place.peerUrl()));
    return String.join(",", parts);
  }

  /**
   * Reads the arguments behind {@code up}.
   *
   * @throws IllegalArgumentException with a line for the user
   */
  static UpOptions parse(List<String> arguments) {
    int members = 3;
    Path data = Path.of("kvorum-data");
    int basePort = 2379;
    for (int i = 0; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      int equals = argument.indexOf('=');
      String name = equals < 0 ? argument : argument.substring(0, equals);
      if (!name.equals("--members") && !name.equals("--data") && !name.equals("--base-port")) {
        throw new IllegalArgumentException("unknown option " + argument);
      }
      if (equals < 0 && i + 1 == arguments.size()) {
        throw new IllegalArgumentException(name + " needs a value");
      }
      String value = equals < 0 ? arguments.get(++i) : argument.substring(equals + 1);
      switch (name) {
        case "--members" -> members = number(name, value, 1, PORT_OFFSETS.size());
        case "--base-port" -> basePort = number(name, value, 1, 65_534);
        default -> data = Path.of(value);
      }
    }
    int highest = 65_534 - PORT_OFFSETS.get(members - 1);
    if (basePort > highest) {
      throw new IllegalArgumentException("--base-port is at most " + highest + " with " + members + " members");
    }
    return new UpOptions(members, data.toAbsolutePath().normalize(), basePort);
  }

  private static int number(String name, String value, int least, int most) {
    try {
      int n = Integer.parseInt(value);
      if (n >= least && n <= most) {
        return n;
      }
    } catch (NumberFormatException e) {
      // Said below, with the range.
    }
    throw new IllegalArgumentException(name + " takes a number from " + least + " to " + most + ", not " + value);
  }
}
