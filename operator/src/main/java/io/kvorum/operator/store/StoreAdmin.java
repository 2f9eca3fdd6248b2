package io.kvorum.operator.store;

import io.kvorum.operator.observe.StoreState;
import java.time.Duration;
import java.util.List;

/**
 * The store as its operator uses it. Every call has a bound of {@link #TIMEOUT} unless said otherwise, and none is retried inside.
 * The implementation over gRPC speaks etcd's API and kvorum.v1.Admin with the operator's own credentials; tests use a model of the membership rules.
 */
public interface StoreAdmin {

  /** Bound of one call. */
  Duration TIMEOUT = Duration.ofSeconds(2);

  /** Where a member is reached. */
  record Endpoint(String member, String clientUrl) {}

  /** Asks all members at the same time, and one linearizable member list and the alarms of whichever answers first; takes at most five seconds. Never throws. */
  StoreState observe(List<Endpoint> members);

  /** Adds a learner and returns its id; a peer URL that is already registered answers the id that it has. */
  long addLearner(List<Endpoint> through, String peerUrl) throws StoreException;

  /** Promotes a learner. "Not in sync" is {@link StoreException.Reason#NOT_READY}; already a voter is success. */
  void promote(List<Endpoint> through, long memberId) throws StoreException;

  /** Removes a member; not found is success. */
  void removeMember(List<Endpoint> through, long memberId) throws StoreException;

  /** Asks the leader, at this endpoint, to hand over to another voter. */
  void moveLeader(Endpoint leader, long to) throws StoreException;

  /** Compacts up to a revision; already compacted is success. */
  void compact(List<Endpoint> through, long revision) throws StoreException;

  /** Reclaims the space of one member; bounded by ten minutes. */
  void defragment(Endpoint member) throws StoreException;

  /** Disarms an alarm; absent is success. */
  void disarm(List<Endpoint> through, StoreState.ActiveAlarm alarm) throws StoreException;

  /** Has a member re-read its configuration and certificate files. */
  void reload(Endpoint member) throws StoreException;

  /** Creates user and role root when absent, gives root this password, and enables authentication; already enabled is success. */
  void enableAuth(List<Endpoint> through, String password) throws StoreException;

  /** Switches authentication off; already off is success. Users and roles stay. */
  void disableAuth(List<Endpoint> through) throws StoreException;

  /**
   * Begins to hash the data of these members at a revision, one after the other, each in five minutes at most, and returns at once. What came of it is the
   * comparison of later observations. While one is under way another is not begun.
   */
  void compareData(List<Endpoint> members, long revision);

  /** A call to the store that failed, with what may be done about it. */
  final class StoreException extends Exception {
    private final Reason reason;

    public StoreException(Reason reason, String message) {
      super(message);
      this.reason = reason;
    }

    public Reason reason() {
      return reason;
    }

    /** Why a call failed. */
    public enum Reason {
      /** No answer: nothing is known of the effect. */
      UNAVAILABLE,
      /** The cluster is not in the state for it yet; a later pass tries again. */
      NOT_READY,
      /** Refused for good. */
      REFUSED
    }
  }
}
