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
 */
public record StoreState(List<MemberAnswer> answers, Optional<MemberList> membership, List<ActiveAlarm> alarms, Optional<Boolean> authEnabled) {

  /** Nothing is known of the store. */
  public static final StoreState UNKNOWN = new StoreState(List.of(), Optional.empty(), List.of(), Optional.empty());

  public StoreState {
    answers = List.copyOf(answers);
    alarms = List.copyOf(alarms);
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
   */
  public record MemberAnswer(
      String member, Instant at, long clusterId, long memberId, long leaderId, long term, long lastLogTerm, long raftIndex, long appliedIndex, long revision,
      long databaseBytes, long inUseBytes, boolean learner, boolean ready, String kvorumVersion, String clusterVersion, String configHash,
      Set<String> certificateFingerprints, List<String> errors) {

    public MemberAnswer {
      certificateFingerprints = Set.copyOf(certificateFingerprints);
      errors = List.copyOf(errors);
    }

    /** The same answer with another configuration hash. */
    public MemberAnswer withConfigHash(String hash) {
      return new MemberAnswer(
          member, at, clusterId, memberId, leaderId, term, lastLogTerm, raftIndex, appliedIndex, revision, databaseBytes, inUseBytes, learner, ready,
          kvorumVersion, clusterVersion, hash, certificateFingerprints, errors);
    }
  }

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
