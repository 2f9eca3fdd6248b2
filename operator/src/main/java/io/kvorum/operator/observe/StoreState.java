package io.kvorum.operator.observe;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What the store itself said in one observation: one answer a member, one linearizable member list, the alarms.
 *
 * @param answers fresh answers of the members that were asked, by member name; a member without an entry gave no answer in time,
 *     which means unknown and never unhealthy
 * @param membership the linearizable member list; empty when no quorum answered
 * @param alarms the active alarms, empty when they could not be read
 * @param authEnabled users and roles are enforced; empty when it could not be read
 * @param comparison of the members' data, the last that has ended; empty before the first of this process
 */
public record StoreState(
    List<MemberAnswer> answers, Optional<MemberList> membership, List<ActiveAlarm> alarms, Optional<Boolean> authEnabled,
    Optional<HashComparison> comparison) {

  /** Nothing is known of the store. */
  public static final StoreState UNKNOWN = new StoreState(List.of(), Optional.empty(), List.of(), Optional.empty());

  public StoreState {
    answers = List.copyOf(answers);
    alarms = List.copyOf(alarms);
  }

  /** Without a comparison. */
  public StoreState(List<MemberAnswer> answers, Optional<MemberList> membership, List<ActiveAlarm> alarms, Optional<Boolean> authEnabled) {
    this(answers, membership, alarms, authEnabled, Optional.empty());
  }

  /** The same with other answers. */
  public StoreState withAnswers(List<MemberAnswer> others) {
    return new StoreState(others, membership, alarms, authEnabled, comparison);
  }

  /** The same with this comparison. */
  public StoreState withComparison(Optional<HashComparison> other) {
    return new StoreState(answers, membership, alarms, authEnabled, other);
  }

  /**
   * One member's answer to Status and Describe.
   *
   * @param member name of the member that was asked
   * @param at when the answer came
   * @param leaderId the leader that it knows, 0 for none
   * @param raftIndex index of the last entry of its log
   * @param lastLogTerm term of the last entry of its log, for the choice of a survivor
   * @param kvorumVersion version of the process, e.g. 0.1.0
   * @param configHash hash of the configuration that the process runs with
   * @param certificateFingerprints SHA-256 fingerprints, lower-case hex, of all certificates that it uses or trusts
   * @param clock how its wall clock stands to the operator's; empty when it does not tell
   */
  public record MemberAnswer(
      String member, Instant at, long clusterId, long memberId, long leaderId, long term, long lastLogTerm, long raftIndex, long appliedIndex, long revision,
      long databaseBytes, long inUseBytes, boolean learner, boolean ready, String kvorumVersion, String clusterVersion, String configHash,
      Set<String> certificateFingerprints, List<String> errors, Optional<ClockReading> clock) {

    public MemberAnswer {
      certificateFingerprints = Set.copyOf(certificateFingerprints);
      errors = List.copyOf(errors);
    }

    /** Of a member that does not tell its clock. */
    public MemberAnswer(
        String member, Instant at, long clusterId, long memberId, long leaderId, long term, long lastLogTerm, long raftIndex, long appliedIndex,
        long revision, long databaseBytes, long inUseBytes, boolean learner, boolean ready, String kvorumVersion, String clusterVersion, String configHash,
        Set<String> certificateFingerprints, List<String> errors) {
      this(
          member, at, clusterId, memberId, leaderId, term, lastLogTerm, raftIndex, appliedIndex, revision, databaseBytes, inUseBytes, learner, ready,
          kvorumVersion, clusterVersion, configHash, certificateFingerprints, errors, Optional.empty());
    }

    /** The same answer with another configuration hash. */
    public MemberAnswer withConfigHash(String hash) {
      return new MemberAnswer(
          member, at, clusterId, memberId, leaderId, term, lastLogTerm, raftIndex, appliedIndex, revision, databaseBytes, inUseBytes, learner, ready,
          kvorumVersion, clusterVersion, hash, certificateFingerprints, errors, clock);
    }

    /** The same answer with other fingerprints. */
    public MemberAnswer withFingerprints(Set<String> fingerprints) {
      return new MemberAnswer(
          member, at, clusterId, memberId, leaderId, term, lastLogTerm, raftIndex, appliedIndex, revision, databaseBytes, inUseBytes, learner, ready,
          kvorumVersion, clusterVersion, configHash, fingerprints, errors, clock);
    }
  }

  /**
   * A member's wall clock as it was read over the network.
   *
   * @param aheadMillis how far it is ahead of the operator's clock, negative behind it
   * @param uncertaintyMillis the reading may be wrong by as much, either way: half of the time that the call took
   */
  public record ClockReading(long aheadMillis, long uncertaintyMillis) {}

  /** The member list of a cluster at one moment. */
  public record MemberList(long clusterId, List<ListedMember> members) {
    public MemberList {
      members = List.copyOf(members);
    }
  }

  /** @param name empty until the member has started and published itself */
  public record ListedMember(long id, String name, List<String> peerUrls, List<String> clientUrls, boolean learner) {
    public ListedMember {
      peerUrls = List.copyOf(peerUrls);
      clientUrls = List.copyOf(clientUrls);
    }
  }

  /** An alarm of one member. */
  public record ActiveAlarm(long memberId, Kind kind) {
    /** The alarms of etcd's API. */
    public enum Kind {
      NOSPACE,
      CORRUPT
    }
  }
}
