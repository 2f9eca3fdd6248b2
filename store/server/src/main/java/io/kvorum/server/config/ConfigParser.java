package io.kvorum.server.config;

import io.kvorum.server.base.Version;
import io.kvorum.server.config.Parsed.Notice;
import io.kvorum.server.logging.LogSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * From a command line and an environment to a checked configuration, in etcd's order: flags, then the configuration file or else the environment, then the
 * checks. Pure but for reading the configuration file, which is a parameter.
 */
public final class ConfigParser {
  /** Reads a configuration file. */
  @FunctionalInterface
  public interface FileReader {
    String read(Path file) throws IOException;
  }

  private final FlagTable table;
  private final FileReader files;

  public ConfigParser(FlagTable table, FileReader files) {
    this.table = table;
    this.files = files;
  }

  /** Never throws on what a user wrote. */
  public Parsed parse(List<String> arguments, Map<String, String> variables) {
    FlagValues values = new FlagValues(table);
    List<String> rest;
    try {
      rest = new FlagParser(table).parse(arguments, values);
    } catch (FlagParser.HelpException e) {
      return new Parsed.Print(0, Usage.flags(table), Usage.LINE);
    } catch (FlagParser.UsageException e) {
      return new Parsed.Print(2, "", e.getMessage() + "\n" + Usage.LINE);
    }
    List<Notice> notices = new ArrayList<>();
    LogSettings log = LogSettings.DEFAULT;
    try {
      if (!rest.isEmpty()) {
        throw new ConfigException(GoSyntax.quote(rest.getFirst()) + " is not a valid flag");
      }
      if (values.bool("version")) {
        return new Parsed.Print(0, versionText(), "");
      }
      Environment environment = new Environment(table, variables);
      String file = values.text("config-file").isEmpty() ? environment.get("ETCD_CONFIG_FILE") : values.text("config-file");
      if (file.isEmpty()) {
        environment.apply(values, notices);
      } else {
        values = fromFile(file, notices);
      }
      log = Checks.log(values);
      ServerConfig config = new Checks(table, values, notices).config(log);
      notices.add(Notice.info("Running: ", "args", arguments));
      return new Parsed.Serve(config, notices);
    } catch (ConfigException e) {
      return new Parsed.Refused(log, notices, e.notice());
    }
  }

  /** The configuration that these options make, without the lines that a start would log. */
  static ServerConfig config(FlagTable table, Options options) throws ConfigException {
    FlagValues values = new FlagValues(table);
    options.given().forEach((name, value) -> values.set(table.get(name), value));
    return new Checks(table, values, new ArrayList<>()).config(Checks.log(values));
  }

  private FlagValues fromFile(String file, List<Notice> notices) throws ConfigException {
    FlagValues values = new FlagValues(table);
    try {
      new ConfigFile(table).read(files.read(Path.of(file)), values);
    } catch (IOException e) {
      throw new ConfigException("open " + file + ": " + (e instanceof java.nio.file.NoSuchFileException ? "no such file or directory" : e.getMessage()));
    }
    notices.add(
        Notice.info("loaded server configuration, other configuration command line flags and environment variables will be ignored if provided", "path", file));
    return values;
  }

  private static String versionText() {
    return "etcd Version: " + Version.ETCD + "\n"
        + "Git SHA: kvorum-" + Version.kvorum() + "\n"
        + "Go Version: none (Java " + Runtime.version().feature() + ")\n"
        + "Go OS/Arch: linux/" + (System.getProperty("os.arch").equals("aarch64") ? "arm64" : System.getProperty("os.arch")) + "\n"
        + "Kvorum Version: " + Version.kvorum() + "\n";
  }
}
