package io.kvorum.server.config;

import java.util.stream.Collectors;

/** The texts of -h and of a command line that cannot be understood. */
final class Usage {
  static final String LINE =
      """
      Usage:

        etcd [flags]
          Start a server.

        etcd --version
          Show the version.

        etcd -h | --help
          Show the help information.

        etcd --config-file
          Path to the server configuration file. Note that if a configuration file is provided, other command line flags and environment variables will be ignored.

        kvorum dump-log DATADIR
          Print the committed log entries of a stopped member, one in a line, base64.

        kvorum inspect DATADIR --json
          Print what a stopped member's data directory holds.

        kvorum import FILE [flags]
          Make a new member's data directory from an etcd snapshot.

        kvorum export DATADIR FILE
          Write an etcd snapshot from a stopped member's data directory.

        kvorum mirror --source ENDPOINTS --destination ENDPOINTS [flags]
          Follow a live etcd or Kvorum into another cluster.

        kvorum backup --endpoints URLS --destination LOCATION [--type full|delta] [flags]
          Ship a backup of a running cluster to a folder or object storage. Also: backup list, backup delete.

        kvorum verify --destination LOCATION --id ID [flags]
          Restore a backup into a scratch folder and compare its content with what the cluster had.

        kvorum restore --destination LOCATION --id ID | --latest [--revision N | --time TIME] [flags]
          Make a new member's data directory from backups.
      """;

  private Usage() {}

  static String flags(FlagTable table) {
    StringBuilder out = new StringBuilder();
    for (Flag.Section section : Flag.Section.values()) {
      if (section == Flag.Section.HIDDEN) {
        continue;
      }
      out.append('\n').append(section.title).append(":\n");
      out.append(table.section(section).stream().map(Usage::flag).collect(Collectors.joining()));
    }
    return out.append("\nCAUTIOUS with unsafe flag! It may break the guarantees given by the consensus protocol!\n").toString();
  }

  private static String flag(Flag flag) {
    String note =
        switch (flag.effect()) {
          case ACTIVE -> "";
          case NO_EFFECT -> " (accepted, no effect)";
          case NOT_SUPPORTED_YET -> " (not supported yet)";
        };
    String shown = flag.name().equals("data-dir") ? "${name}.etcd" : flag.defaultValue();
    return "  --" + flag.name() + " '" + shown + "'\n    " + flag.help() + note + "\n";
  }
}
