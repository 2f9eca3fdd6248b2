package io.kvorum.server.process;

import io.kvorum.server.config.ConfigParser;
import io.kvorum.server.config.CurrentConfig;
import io.kvorum.server.config.FlagTable;
import io.kvorum.server.config.Parsed;
import io.quarkus.runtime.QuarkusApplication;
import jakarta.inject.Inject;
import java.nio.file.Files;
import java.util.List;
import java.util.function.Supplier;

/** What the container runs once the command line is known to be good. */
public final class Application implements QuarkusApplication {
  private final ServerProcess process;

  @Inject
  public Application(ServerProcess process) {
    this.process = process;
  }

  @Override
  public int run(String... args) throws Exception {
    ConfigParser parser = new ConfigParser(FlagTable.etcd36(), Files::readString);
    Supplier<Parsed> source = () -> parser.parse(List.of(args), System.getenv());
    return source.get() instanceof Parsed.Serve serve ? process.run(new CurrentConfig(serve.config(), source)) : 1;
  }
}
