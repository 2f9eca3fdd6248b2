package io.kvorum.discovery;

import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * The instances of one service, kept up to date until it is closed. While the store is away those that were known last stay. Any thread.
 *
 * <pre>{@code
 * try (ServiceDirectory orders = ServiceDirectory.open("services/orders")) {
 *   orders.await(Duration.ofSeconds(5));
 *   orders.instances().forEach(instance -> System.out.println(instance.address()));
 * }
 * }</pre>
 */
public final class ServiceDirectory implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(ServiceDirectory.class.getName());

  private final Store store;
  private final ScheduledExecutorService timer;
  private final SynchronizationContext context;
  private final PrefixFollower follower;
  private final CompletableFuture<Void> loaded = new CompletableFuture<>();
  private final List<Consumer<List<ServiceInstance>>> listeners = new CopyOnWriteArrayList<>();
  private volatile List<ServiceInstance> instances = List.of();
  private volatile Status trouble;

  private ServiceDirectory(String service, Store store) {
    this.store = store;
    this.timer = Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("kvorum-directory").factory());
    this.context = new SynchronizationContext((thread, broken) -> LOG.log(System.Logger.Level.ERROR, "the directory of " + service + " is broken", broken));
    this.follower =
        new PrefixFollower(
            store, service + "/", context, timer, RandomGenerator.getDefault(),
            new PrefixFollower.Listener() {
              @Override
              public void changed(List<ServiceInstance> found) {
                instances = found;
                loaded.complete(null);
                listeners.forEach(listener -> tell(listener, found));
              }

              @Override
              public void failed(Status reason) {
                trouble = reason;
              }

              @Override
              public void following() {
                trouble = null;
              }
            });
    context.execute(follower::start);
  }

  /**
   * With the options of the environment, see {@link StoreOptions#fromEnvironment()}.
   *
   * @param service the prefix of its endpoints, {@code services/orders}
   */
  public static ServiceDirectory open(String service) {
    return open(service, StoreOptions.fromEnvironment());
  }

  /** As {@link #open(String)}, with options. */
  public static ServiceDirectory open(String service, StoreOptions options) {
    return new ServiceDirectory(prefix(service), new EndpointStore(options));
  }

  /** As {@link #open(String)}, over a channel that stays its owner's: for credentials that options do not know. */
  public static ServiceDirectory open(String service, Channel channel) {
    return new ServiceDirectory(prefix(service), Store.of(channel));
  }

  private static String prefix(String service) {
    String prefix = service.replaceAll("/+$", "");
    if (prefix.isEmpty()) {
      throw new IllegalArgumentException("names no service (services/NAME): " + service);
    }
    return prefix;
  }

  /** Those that are registered, as far as is known, by key. Empty before the store has answered for the first time. */
  public List<ServiceInstance> instances() {
    return instances;
  }

  /**
   * Waits until the store has answered for the first time.
   *
   * @throws TimeoutException if it does not in time; its message says what the trouble is
   */
  public void await(Duration timeout) throws InterruptedException, TimeoutException {
    try {
      loaded.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      throw new TimeoutException("the store has not answered: " + trouble().orElse("no answer yet"));
    } catch (ExecutionException never) {
      throw new IllegalStateException("closed", never);
    }
  }

  /** Why {@link #instances} may be out of date: the store's last refusal, empty while it is followed. */
  public Optional<String> trouble() {
    Status now = trouble;
    return now == null ? Optional.empty() : Optional.of(now.getCode() + " " + now.getDescription());
  }

  /**
   * Tells of all instances, now if the store has answered already, and after each change, one call at a time. The listener must not block; what it throws is logged.
   *
   * @return takes the listener away when it is closed
   */
  public Registration listen(Consumer<List<ServiceInstance>> listener) {
    context.execute(
        () -> {
          listeners.add(listener);
          if (loaded.isDone()) {
            tell(listener, instances);
          }
        });
    return () -> context.execute(() -> listeners.remove(listener));
  }

  private static void tell(Consumer<List<ServiceInstance>> listener, List<ServiceInstance> found) {
    try {
      listener.accept(found);
    } catch (RuntimeException broken) {
      LOG.log(System.Logger.Level.WARNING, "a listener has failed", broken);
    }
  }

  /** A listener that listens. */
  @FunctionalInterface
  public interface Registration extends AutoCloseable {
    @Override
    void close();
  }

  /** The instances stay readable as they were. */
  @Override
  public void close() {
    context.execute(
        () -> {
          follower.close();
          listeners.clear();
          store.close();
          timer.shutdownNow();
        });
  }
}
