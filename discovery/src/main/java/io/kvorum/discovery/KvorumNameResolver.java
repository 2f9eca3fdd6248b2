package io.kvorum.discovery;

import io.grpc.Attributes;
import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.Status;
import io.grpc.StatusOr;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.random.RandomGenerator;

/** The endpoints of one service, as a channel takes them. While the store is away the channel keeps those that it has. */
public final class KvorumNameResolver extends NameResolver {
  /** What is registered, on each address. */
  public static final Attributes.Key<ServiceInstance> INSTANCE = Attributes.Key.create("io.kvorum.discovery.instance");

  private final String service;
  private final Store store;
  private final Args args;
  private final RandomGenerator random;
  private PrefixFollower follower;
  private List<ServiceInstance> newest = List.of();
  private boolean found;

  /**
   * @param service the prefix of its endpoints, without the last slash
   * @param store ended with the resolver
   */
  KvorumNameResolver(String service, Store store, Args args, RandomGenerator random) {
    this.service = service;
    this.store = store;
    this.args = args;
    this.random = random;
  }

  /** The name of the service: what certificates of its instances would have to say, unless the channel overrides it. */
  @Override
  public String getServiceAuthority() {
    return service.substring(service.lastIndexOf('/') + 1);
  }

  @Override
  public void start(Listener2 listener) {
    ScheduledExecutorService timer = args.getScheduledExecutorService();
    follower =
        new PrefixFollower(
            store, service + "/", args.getSynchronizationContext(), timer, random,
            new PrefixFollower.Listener() {
              @Override
              public void changed(List<ServiceInstance> instances) {
                newest = instances;
                tell(listener, instances);
              }

              @Override
              public void failed(Status reason) {
                if (!found) {
                  listener.onError(Status.UNAVAILABLE.withDescription("the store cannot be asked for " + service + ": " + reason.getCode() + " " + reason.getDescription()));
                }
              }
            });
    follower.start();
  }

  /** Nothing to do: whatever changes is told at once, and a store that is away is tried again and again. */
  @Override
  public void refresh() {}

  @Override
  public void shutdown() {
    if (follower != null) {
      follower.close();
    }
    store.close();
  }

  /** Host names take a look-up, which may not hold up the channel. */
  private void tell(Listener2 listener, List<ServiceInstance> instances) {
    Executor offload = args.getOffloadExecutor();
    if (offload == null || instances.stream().allMatch(KvorumNameResolver::isLiteral)) {
      deliver(listener, instances, groups(instances));
      return;
    }
    offload.execute(
        () -> {
          List<EquivalentAddressGroup> groups = groups(instances);
          args.getSynchronizationContext().execute(() -> deliver(listener, instances, groups));
        });
  }

  private void deliver(Listener2 listener, List<ServiceInstance> instances, List<EquivalentAddressGroup> groups) {
    if (instances != newest) {
      return;
    }
    found = true;
    listener.onResult2(ResolutionResult.newBuilder().setAddressesOrError(StatusOr.fromValue(groups)).build());
  }

  private static boolean isLiteral(ServiceInstance instance) {
    return instance.host().indexOf(':') >= 0 || instance.host().matches("[0-9.]+");
  }

  /** Without those whose host name is not known at the moment. */
  private static List<EquivalentAddressGroup> groups(List<ServiceInstance> instances) {
    List<EquivalentAddressGroup> groups = new ArrayList<>(instances.size());
    for (ServiceInstance instance : instances) {
      try {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(instance.host()), instance.port());
        groups.add(new EquivalentAddressGroup(address, Attributes.newBuilder().set(INSTANCE, instance).build()));
      } catch (UnknownHostException unknown) {
        System.getLogger(KvorumNameResolver.class.getName()).log(System.Logger.Level.WARNING, "{0} is registered with a host that is not known: {1}", instance.key(), instance.host());
      }
    }
    return groups;
  }
}
