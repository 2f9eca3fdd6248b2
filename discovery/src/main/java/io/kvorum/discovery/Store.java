package io.kvorum.discovery;

import io.grpc.Channel;

/** The way to the store: one of its endpoints at a time. Any thread. */
interface Store extends AutoCloseable {
  /** To the endpoint in use. */
  Channel channel();

  /**
   * Turns to the next endpoint, if the one in use is still this one.
   *
   * @param failed what {@link #channel} gave
   */
  void turn(Channel failed);

  /** Ends the connections that it has made. */
  @Override
  void close();

  /** A channel of somebody else's, who ends it. */
  static Store of(Channel channel) {
    return new Store() {
      @Override
      public Channel channel() {
        return channel;
      }

      @Override
      public void turn(Channel failed) {
        // There is no other.
      }

      @Override
      public void close() {
        // Its owner's.
      }
    };
  }
}
