package io.kvorum.server.process;

import io.kvorum.server.config.ConfigParser;
import io.kvorum.server.config.FlagTable;
import io.kvorum.server.config.Parsed;
import io.quarkus.runtime.QuarkusApplication;
import jakarta.inject.Inject;
import java.nio.file.Files;
import java.util.List;

/** What the container runs once the command line is known to be good. */
public final class Application implements QuarkusApplication {
  private final ServerProcess process;

  @Inject
  public Application(ServerProcess process) {
    this.process = process;
  }

  @Override
  public int run(String... args) throws Exception {
    Parsed parsed = new ConfigParser(FlagTable.etcd36(), Files::readString).parse(List.of(args), System.getenv());
    return parsed instanceof Parsed.Serve serve ? process.run(serve.config()) : 1;
  }
}
