package io.kvorum.server.agent.copy;

import io.kvorum.mvcc.Change;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import java.util.List;

/**
 * All mirrored pairs as of one revision.
 *
 * @param header of the answer that fixed the revision
 * @param pairs by ascending mod_revision, then in key order
 */
record Base(ResponseHeader header, List<Change> pairs) {
  long revision() {
    return header.getRevision();
  }
}
