package io.kvorum.server.process;

import io.kvorum.server.config.ConfigParser;
import io.kvorum.server.config.FlagTable;
import io.kvorum.server.config.Parsed;
import io.kvorum.server.logging.Log;
import io.kvorum.server.logging.LogSettings;
import io.kvorum.server.logging.Logging;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.Security;
import java.util.List;
import java.util.logging.Level;

/**
 * The program. Verbs, versions, help and refusals need no container; only a configuration that may serve starts one.
 */
@QuarkusMain
public final class Main {
  private static final Log LOG = Log.of(Main.class);
  /** How long the address of a name is remembered. */
  private static final String ADDRESS_SECONDS = "1";

  private Main() {}

  public static void main(String... args) throws IOException {
    // The name of a member that is just being created must not stay unknown for the ten seconds that are Java's default, and a pod that was made anew has
    // another address behind its name: it must be found before the half minute that is the default of Java, and gRPC's own (the system property).
    Security.setProperty("networkaddress.cache.negative.ttl", ADDRESS_SECONDS);
    Security.setProperty("networkaddress.cache.ttl", ADDRESS_SECONDS);
    System.setProperty("networkaddress.cache.ttl", ADDRESS_SECONDS);
    List<String> arguments = List.of(args);
    if (Verbs.isVerb(arguments)) {
      Logging.install(new LogSettings(Level.WARNING, false, List.of("stderr")));
      System.exit(new Verbs(System.getProperty("kvorum.name", "kvorum")).run(arguments));
    }
    switch (new ConfigParser(FlagTable.etcd36(), Files::readString).parse(arguments, System.getenv())) {
      case Parsed.Print print -> {
        write(FileDescriptor.err, print.err());
        write(FileDescriptor.out, print.out());
        System.exit(print.exitCode());
      }
      case Parsed.Refused refused -> {
        install(refused.log());
        refused.notices().forEach(Main::log);
        log(refused.refusal());
        System.exit(1);
      }
      case Parsed.Serve serve -> {
        install(serve.config().log());
        serve.notices().forEach(Main::log);
        Quarkus.run(Application.class, args);
      }
    }
  }

  private static void install(LogSettings settings) throws IOException {
    try {
      Logging.install(settings);
    } catch (IOException e) {
      Logging.install(LogSettings.DEFAULT);
      LOG.fatal("failed to verify flags", "error", e.getMessage());
      System.exit(1);
    }
  }

  private static void log(Parsed.Notice notice) {
    Object[] pairs = notice.keysAndValues().toArray();
    switch (notice.severity()) {
      case INFO -> LOG.info(notice.event(), pairs);
      case WARN -> LOG.warn(notice.event(), pairs);
      case FATAL -> LOG.fatal(notice.event(), pairs);
    }
  }

  private static void write(FileDescriptor to, String text) throws IOException {
    try (OutputStream out = new FileOutputStream(to)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
  }
}
