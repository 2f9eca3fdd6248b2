package io.kvorum.server.apply;

import com.google.protobuf.Message;
import io.kvorum.server.base.EtcdError;

/** What became of one request. */
sealed interface Result {
  /** It was applied on a member where nobody waits for the answer. */
  Result UNHEARD = new Answer(null);

  /**
   * @param message the response, its header carrying the revision alone; null when nobody waits
   */
  record Answer(Message message) implements Result {}

  /** It had no effect. */
  record Refusal(EtcdError reason) implements Result {}
}
