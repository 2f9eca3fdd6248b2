package io.kvorum.server.front;

import io.netty.channel.ChannelHandlerContext;

/** What an answer may wait for on its connection: room for more, and the end. One action for each at a time; they run on the connection's event loop. */
final class ChannelWaits {
  private final ChannelHandlerContext context;
  private Runnable onGone;
  private Runnable onWritable;
  private boolean gone;

  ChannelWaits(ChannelHandlerContext context) {
    this.context = context;
  }

  /** Runs it on the event loop: now when the caller is there. */
  void inLoop(Runnable action) {
    if (context.executor().inEventLoop()) {
      action.run();
    } else {
      context.executor().execute(action);
    }
  }

  /** Any thread. */
  void whenWritable(Runnable action) {
    inLoop(
        () -> {
          if (context.channel().isWritable()) {
            action.run();
          } else {
            onWritable = action;
          }
        });
  }

  /** Any thread. */
  void onGone(Runnable action) {
    inLoop(
        () -> {
          if (gone) {
            action.run();
          } else {
            onGone = action;
          }
        });
  }

  /** The answer is complete: the end of the connection no longer matters to it. Event loop. */
  void complete() {
    onGone = null;
  }

  /** The connection may take more. Event loop. */
  void writabilityChanged() {
    if (onWritable != null && context.channel().isWritable()) {
      Runnable action = onWritable;
      onWritable = null;
      action.run();
    }
  }

  /** The connection has ended. Event loop. */
  void gone() {
    gone = true;
    onWritable = null;
    if (onGone != null) {
      onGone.run();
    }
  }
}
