package io.kvorum.server.agent.copy;

import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import java.util.concurrent.atomic.LongAdder;

/** What the follower's thread notes for others to read. */
final class CopyCounters {
  final LongAdder bases = new LongAdder();
  final LongAdder events = new LongAdder();
  final LongAdder breaks = new LongAdder();
  final LongAdder tooLarge = new LongAdder();

  /** Progress requests. */
  final LongAdder questions = new LongAdder();

  /** Watches of the copy that are open at the cluster. */
  volatile int watches;

  /** As of the last heartbeat. */
  volatile long clusterRevision;

  /** Header of the last response from the cluster: who answers there. */
  volatile ResponseHeader heard = ResponseHeader.getDefaultInstance();
}
