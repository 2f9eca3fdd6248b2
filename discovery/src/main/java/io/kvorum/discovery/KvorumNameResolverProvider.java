package io.kvorum.discovery;

import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import java.net.URI;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Names of services for gRPC-Java channels: {@code kvorum:///services/orders} are the endpoints below {@code services/orders/}, as {@code etcd:///services/orders} is with etcd's
 * resolver for Go. {@code kvorum://HOST:PORT,HOST:PORT/services/orders} names where the store is (in the clear); without that it is {@link StoreOptions#fromEnvironment()}. The channel
 * gets all instances and spreads calls over them with {@code defaultLoadBalancingPolicy("round_robin")}; what an instance says of itself is in its address's attribute
 * {@link KvorumNameResolver#INSTANCE}.
 *
 * <p>Found by gRPC itself when the jar is there; to be registered with {@code NameResolverRegistry} for other options than the environment's.
 */
public final class KvorumNameResolverProvider extends NameResolverProvider {
  /** Of the targets. */
  public static final String SCHEME = "kvorum";

  private static final int PRIORITY = 5;

  private final Supplier<StoreOptions> options;

  /** With the environment's options. */
  public KvorumNameResolverProvider() {
    this.options = StoreOptions::fromEnvironment;
  }

  /** @param options for targets, whose own endpoints come before these */
  public KvorumNameResolverProvider(StoreOptions options) {
    this.options = () -> options;
  }

  @Override
  protected boolean isAvailable() {
    return true;
  }

  @Override
  protected int priority() {
    return PRIORITY;
  }

  @Override
  public String getDefaultScheme() {
    return SCHEME;
  }

  /**
   * @return null for another scheme
   * @throws IllegalArgumentException if the target names no service, or its endpoints are none
   */
  @Override
  public NameResolver newNameResolver(URI target, NameResolver.Args args) {
    if (!SCHEME.equals(target.getScheme())) {
      return null;
    }
    String path = target.getPath() == null ? "" : target.getPath().replaceAll("^/+|/+$", "");
    if (path.isEmpty()) {
      throw new IllegalArgumentException("names no service (kvorum:///services/NAME): " + target);
    }
    String authority = target.getAuthority();
    StoreOptions where = options.get();
    StoreOptions chosen = authority == null || authority.isEmpty() ? where : where.with(StoreOptions.split(authority));
    return new KvorumNameResolver(path, new EndpointStore(chosen), args, RandomGenerator.getDefault());
  }
}
