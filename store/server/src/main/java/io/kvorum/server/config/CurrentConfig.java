package io.kvorum.server.config;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** What counts now; it changes when a running member takes options anew. */
public final class CurrentConfig implements Supplier<ServerConfig> {
  private final Supplier<Parsed> source;
  private final List<Runnable> listeners = new ArrayList<>();
  private volatile ServerConfig config;

  /**
   * @param config what counts first
   * @param source reads the command line, its configuration file included, again
   */
  public CurrentConfig(ServerConfig config, Supplier<Parsed> source) {
    this.config = config;
    this.source = source;
  }

  /** Any thread. */
  @Override
  public ServerConfig get() {
    return config;
  }

  /**
   * What would count now; nothing changes yet.
   *
   * @throws IllegalArgumentException with the reason that would refuse a start
   */
  public Reload read() {
    return switch (source.get()) {
      case Parsed.Serve serve -> Reload.of(config, serve.config());
      case Parsed.Refused refused -> throw new IllegalArgumentException(refused.reason());
      case Parsed.Print print -> throw new IllegalArgumentException(print.err().lines().findFirst().orElse("nothing to serve"));
    };
  }

  public synchronized void set(ServerConfig next) {
    config = next;
    listeners.forEach(Runnable::run);
  }

  /** Calls back after each change, for what does not ask each time. */
  public synchronized void listen(Runnable listener) {
    listeners.add(listener);
  }
}
