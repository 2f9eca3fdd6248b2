package io.kvorum.server.process;

import io.kvorum.server.logging.Log;
import io.kvorum.server.logging.LogSettings;
import io.kvorum.server.logging.Logging;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.io.IOException;

/** The program. */
@QuarkusMain
public final class Main implements QuarkusApplication {
  private static final Log LOG = Log.of(Main.class);

  public static void main(String... args) throws IOException {
    Logging.install(LogSettings.DEFAULT);
    LOG.info("before");
    Quarkus.run(Main.class, args);
  }

  @Override
  public int run(String... args) {
    LOG.info("starting an etcd server");
    System.getLogger("io.kvorum.raft.X").log(System.Logger.Level.INFO, "hello {0} and '{1}'", 1, "x");
    return 0;
  }
}
