package io.kvorum.operator.runtime.local;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What {@code kvorum up} was asked for.
 *
 * @param file the wanted cluster, empty for one with defaults
 * @param members voters of a cluster without a file
 * @param data folder that holds everything
 * @param basePort client port of the first member; the others are 20000, 30000, ... above, each peer port is one above its client port
 */
record UpOptions(Optional<Path> file, int members, Path data, int basePort) {
  static final String USAGE =
      """
      usage: kvorum up [CLUSTER.yaml] [--members N] [--data DIR] [--base-port PORT]
        Runs a cluster on this machine until Ctrl-C: starts its members one after the other, restarts those that fail, and replaces those that stay broken.
        CLUSTER.yaml      a KvorumCluster; edit it while the cluster runs, and the cluster follows
        --members N       1, 3, 5 or 7 voters without a file (default 3)
        --data DIR        data and logs, kept for the next time (default ./kvorum-data)
        --base-port PORT  client port of the first member (default 2379); the others are 20000, 30000, ... above
      """;

  private static final List<Integer> SIZES = List.of(1, 3, 5, 7);

  /**
   * Reads the arguments behind {@code up}.
   *
   * @throws IllegalArgumentException with a line for the user
   */
  static UpOptions parse(List<String> arguments) {
    Optional<Path> file = Optional.empty();
    int members = 0;
    Path data = Path.of("kvorum-data");
    int basePort = 2379;
    for (int i = 0; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      if (!argument.startsWith("-")) {
        if (file.isPresent()) {
          throw new IllegalArgumentException("one cluster at a time, not " + file.get() + " and " + argument);
        }
        file = Optional.of(Path.of(argument).toAbsolutePath().normalize());
        continue;
      }
      int equals = argument.indexOf('=');
      String name = equals < 0 ? argument : argument.substring(0, equals);
      if (!List.of("--members", "--data", "--base-port").contains(name)) {
        throw new IllegalArgumentException("unknown option " + argument);
      }
      if (equals < 0 && i + 1 == arguments.size()) {
        throw new IllegalArgumentException(name + " needs a value");
      }
      String value = equals < 0 ? arguments.get(++i) : argument.substring(equals + 1);
      switch (name) {
        case "--members" -> members = size(value);
        case "--base-port" -> basePort = port(value);
        default -> data = Path.of(value);
      }
    }
    if (file.isPresent() && members != 0) {
      throw new IllegalArgumentException("the file says how many members there are (spec.replicas), so --members does not go with it");
    }
    return new UpOptions(file, members == 0 ? 3 : members, data.toAbsolutePath().normalize(), basePort);
  }

  private static int size(String value) {
    for (int size : SIZES) {
      if (value.equals(Integer.toString(size))) {
        return size;
      }
    }
    throw new IllegalArgumentException("--members takes 1, 3, 5 or 7, not " + value);
  }

  private static int port(String value) {
    try {
      int port = Integer.parseInt(value);
      if (port >= 1 && port <= Places.MAX_BASE_PORT) {
        return port;
      }
    } catch (NumberFormatException e) {
      // Said below, with the range.
    }
    throw new IllegalArgumentException("--base-port takes a number from 1 to " + Places.MAX_BASE_PORT + ", not " + value);
  }
}
