package io.kvorum.raft.core;

import io.kvorum.raft.Message;
import io.kvorum.raft.Role;
import java.util.HashMap;
import java.util.Map;

/**
 * Elections with a pre-vote (paper, 5.2; thesis, 9.6).
 *
 * <ol>
 *   <li>A voter that heard no leader for its election timeout, or whose leader's connection closed, asks all voters whether they would vote
 *       for it in the next term. Nobody's term changes. Refused: learners, members outside the membership, members that install a snapshot
 *       or have a committed membership change to apply.
 *   <li>A majority said yes: it raises its term, votes for itself and asks for votes. The request goes out once term and vote are durable.
 *   <li>A majority voted: it leads.
 *   <li>A majority refused: it follows again and waits for another timeout.
 * </ol>
 *
 * Requests are answered thus:
 *
 * <ol>
 *   <li>A member that heard its leader within the shortest election timeout does not answer, unless that leader asked for the election.
 *   <li>A log that is less up to date than ours is refused.
 *   <li>One vote in a term; none once a leader of the term is known. Pre-votes are not recorded.
 *   <li>Each answer names the answering member's commit index and the term there. A candidate whose log has that entry takes the index
 *       over, so that a member that must apply a membership change before it can win learns that it is committed, even from those who are
 *       removed by it.
 *   <li>Two pre-candidates with equal logs would split the votes that follow, so the one with the lower id is refused. A pre-candidate that
 *       refuses another one asks it again: that one does not hear the leader any more. Safety does not rest on it.
 * </ol>
 */
final class Election {
  private final Parts parts;
  private final Map<Long, Boolean> votes = new HashMap<>();
  /** The leader wants this member to lead. */
  private boolean summoned;

  Election(Parts parts) {
    this.parts = parts;
  }

  boolean mayCampaign() {
    return parts.memberships.current().isVoter(parts.id) && !parts.log.isInstalling() && !parts.memberships.commitAwaitsApply();
  }

  void tick() {
    if (parts.roles.electionTimedOut() && mayCampaign()) {
      preCampaign();
    }
  }

  void preCampaign() {
    parts.roles.becomePreCandidate();
    votes.clear();
    if (count(parts.id, true) == Outcome.WON) {
      campaign(false);
      return;
    }
    for (long voter : parts.memberships.current().voters()) {
      if (voter != parts.id) {
        askPreVote(voter);
      }
    }
  }

  void campaign(boolean transfer) {
    parts.roles.becomeCandidate(parts.id);
    votes.clear();
    if (count(parts.id, true) == Outcome.WON) {
      parts.lead();
      return;
    }
    for (long voter : parts.memberships.current().voters()) {
      if (voter != parts.id) {
        parts.outbox.promise(
            parts.outbox.vote(Message.Type.VOTE, voter, parts.roles.term(), parts.log.lastIndex(), parts.log.lastTerm(), transfer));
      }
    }
  }

  private void askPreVote(long voter) {
    parts.outbox.send(
        parts.outbox.vote(Message.Type.PRE_VOTE, voter, parts.roles.term() + 1, parts.log.lastIndex(), parts.log.lastTerm(), false));
  }

  void onTimeoutNow(Message m) {
    if (parts.roles.role() == Role.FOLLOWER && m.from() == parts.roles.leader()) {
      summoned = true;
      applied();
    }
  }

  /** A change that held up the election that the leader asked for may be applied now. */
  void applied() {
    if (summoned && mayCampaign()) {
      campaign(true);
    }
  }

  /** Term, role or leader changed. */
  void roleChanged() {
    summoned = false;
  }

  void onPreVote(Message m) {
    boolean upToDate = parts.log.isUpToDate(m.index(), m.logTerm());
    boolean fresh = m.term() > parts.roles.term() || parts.rules.grantsVote(parts.roles.vote(), parts.roles.leader(), m.from(), true);
    boolean bothAsk = parts.roles.role() == Role.PRE_CANDIDATE && m.term() == parts.roles.term() + 1;
    boolean equal = m.index() == parts.log.lastIndex() && m.logTerm() == parts.log.lastTerm();
    boolean outranked = bothAsk && equal && Long.compareUnsigned(parts.id, m.from()) > 0;
    boolean granted = fresh && !outranked && parts.rules.grantsVote(m.from(), 0, m.from(), upToDate);
    if (bothAsk && !granted) {
      // It may have heard the leader still when we asked first.
      askPreVote(m.from());
    }
    long term = granted ? m.term() : parts.roles.term();
    parts.outbox.send(answer(Message.Type.PRE_VOTE_RESPONSE, m.from(), term, granted));
  }

  void onVote(Message m) {
    boolean upToDate = parts.log.isUpToDate(m.index(), m.logTerm());
    boolean granted = parts.rules.grantsVote(parts.roles.vote(), parts.roles.leader(), m.from(), upToDate);
    if (granted) {
      parts.roles.voteFor(m.from());
    }
    parts.outbox.promise(answer(Message.Type.VOTE_RESPONSE, m.from(), parts.roles.term(), granted));
  }

  /** A candidate of an older term than ours: it learns the term. */
  void refuseOld(Message m) {
    parts.outbox.send(answer(Message.Type.PRE_VOTE_RESPONSE, m.from(), parts.roles.term(), false));
  }

  private Message answer(Message.Type type, long to, long term, boolean granted) {
    long commit = parts.log.commit();
    return parts.outbox.voteAnswer(type, to, term, granted, commit, parts.log.term(commit));
  }

  private void learnCommit(Message m) {
    if (m.commit() > parts.log.commit() && parts.log.matches(m.commit(), m.logTerm())) {
      parts.log.commitTo(m.commit());
    }
  }

  void onPreVoteResponse(Message m) {
    learnCommit(m);
    if (parts.roles.role() != Role.PRE_CANDIDATE || (!m.reject() && m.term() != parts.roles.term() + 1)) {
      return;
    }
    switch (count(m.from(), !m.reject())) {
      case WON -> {
        if (mayCampaign()) {
          campaign(false);
        } else {
          parts.roles.becomeFollower(parts.roles.term(), 0);
        }
      }
      case LOST -> parts.roles.becomeFollower(parts.roles.term(), 0);
      case OPEN -> {
        // More answers are to come.
      }
    }
  }

  void onVoteResponse(Message m) {
    learnCommit(m);
    if (parts.roles.role() != Role.CANDIDATE) {
      return;
    }
    switch (count(m.from(), !m.reject())) {
      case WON -> {
        if (mayCampaign()) {
          parts.lead();
        } else {
          parts.roles.becomeFollower(parts.roles.term(), 0);
        }
      }
      case LOST -> parts.roles.becomeFollower(parts.roles.term(), 0);
      case OPEN -> {
        // More answers are to come.
      }
    }
  }

  private enum Outcome {
    WON,
    LOST,
    OPEN
  }

  /** The first answer of each member counts; a repeated request may turn a pre-vote's refusal into a grant. */
  private Outcome count(long from, boolean granted) {
    votes.merge(from, granted, (before, now) -> before || (now && parts.roles.role() == Role.PRE_CANDIDATE));
    int yes = 0;
    int no = 0;
    for (long voter : parts.memberships.current().voters()) {
      Boolean answer = votes.get(voter);
      if (answer != null) {
        if (answer) {
          yes++;
        } else {
          no++;
        }
      }
    }
    int quorum = parts.memberships.current().quorum();
    if (yes >= quorum) {
      return Outcome.WON;
    }
    return parts.memberships.current().voters().size() - no < quorum ? Outcome.LOST : Outcome.OPEN;
  }
}
