package io.kvorum.server.process;

import io.quarkus.runtime.QuarkusApplication;

/** What the container runs. */
public final class Application implements QuarkusApplication {
  @Override
  public int run(String... args) {
    return 0;
  }
}
