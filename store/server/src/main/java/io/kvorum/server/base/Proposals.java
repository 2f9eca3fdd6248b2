package io.kvorum.server.base;

import io.kvorum.protocol.internal.LogRequest;

/** The way into the replicated log. */
public interface Proposals {
  /**
   * Proposes one request and completes with what its apply returned on this member: the etcd response message (header revision set), or the
   * {@link EtcdError} that apply refused it with. Bounds and refusals: more than 5,000 entries between committed and applied, or a full queue, is
   * TOO_MANY_REQUESTS; larger than max-request-bytes is REQUEST_IS_TOO_LARGE; no outcome within 5 s + 2 election timeouts is the time-out family
   * (DEADLINE_EXCEEDED when there was no leader to propose to).
   *
   * @param request the request, without its header id, which is set here
   * @param completion called once
   */
  <T> void propose(LogRequest.Builder request, Completion<T> completion);
}
