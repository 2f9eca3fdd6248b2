package io.kvorum.server.watch;

import io.grpc.Status;

/** The network side of one watch stream. Called by the watch thread only, so that a stream's calls never overlap. */
interface WatchSink {
  /** Whether a response would go out without piling up in the transport's buffer. */
  boolean isReady();

  void send(WatchMessage message);

  /** Lets the client's next requests in. */
  void request(int count);

  void close(Status status);
}
