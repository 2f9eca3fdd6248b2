package io.kvorum.server.front;

import io.grpc.Attributes;
import io.netty.channel.Channel;
import java.util.function.Consumer;

/** Decides, once for each new connection, whether its other end may call. Nothing is read from it before. */
@FunctionalInterface
public interface ConnectionCheck {
  /** Where gRPC's transport says what was decided about a call's connection; absent where nothing is checked. */
  Attributes.Key<Boolean> ALLOWED = Attributes.Key.create("kvorum-connection-allowed");

  /**
   * Called on the connection's event loop: must not block.
   *
   * @param verdict to be told once, from any thread
   */
  void check(Channel connection, Consumer<Boolean> verdict);
}
