package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.core.RaftCore.MembershipProposal;
import java.util.Arrays;
import java.util.List;

/**
 * Single-server membership changes (thesis, 4.1), adopted by each member when it applies them.
 *
 * <ol>
 *   <li>A leader takes a change in only when it moves nobody else's leadership (TRANSFER_IN_PROGRESS), has committed an entry of its own
 *       term (NO_COMMIT_IN_TERM), and every entry that may hold an earlier change is applied here (CHANGE_IN_PROGRESS). What a new leader
 *       inherits counts as such up to its last index.
 *   <li>The entry commits under the old membership. Adopted, it counts from the next decision on; so a second voter can always be added to
 *       a single one.
 *   <li>While a committed change waits to be applied a member does not campaign: it would count votes under a membership that may be two
 *       changes old. Of two changes in a log the earlier one is committed, for the leader that took the later one in had applied it; a
 *       member concludes so even when nobody told it.
 *   <li>A leader that is removed hands over, see {@link Transfer}. Others that are removed just hear nothing any more; pre-vote keeps them
 *       from disturbing.
 * </ol>
 */
final class Memberships {
  private static final long SCAN_BYTES = 1 << 20;

  private final RaftLog log;
  private final Rules rules;
  private Membership current;
  /** Ascending indexes of MEMBERSHIP entries that are not applied; a handful, as leaders propose one at a time. */
  private long[] unapplied = new long[4];
  private int unappliedCount;
  private long mayHoldChange;

  Memberships(Membership initial, RaftLog log, Rules rules) {
    this.current = initial;
    this.log = log;
    this.rules = rules;
    scan();
  }

  Membership current() {
    return current;
  }

  boolean isSoleVoter(long id) {
    return current.voters().size() == 1 && current.isVoter(id);
  }

  /** Whether a committed change waits to be applied. */
  boolean commitAwaitsApply() {
    return unappliedCount > 0 && unapplied[0] <= log.commit();
  }

  /** New leader: anything it inherited may be a change. */
  void leads(long lastInheritedIndex) {
    mayHoldChange = rules.changesWaitForOwnTerm() ? lastInheritedIndex : 0;
  }

  /** Leader: whether a change may enter the log now. */
  MembershipProposal admits(boolean transferring, boolean committedInTerm) {
    if (transferring) {
      return MembershipProposal.TRANSFER_IN_PROGRESS;
    }
    if (!committedInTerm && rules.changesWaitForOwnTerm()) {
      return MembershipProposal.NO_COMMIT_IN_TERM;
    }
    return log.applied() < mayHoldChange ? MembershipProposal.CHANGE_IN_PROGRESS : MembershipProposal.ACCEPTED;
  }

  void proposed(long index) {
    mayHoldChange = index;
  }

  void appended(Entry entry) {
    if (entry.type() != EntryType.MEMBERSHIP) {
      return;
    }
    if (unappliedCount == unapplied.length) {
      unapplied = Arrays.copyOf(unapplied, unapplied.length * 2);
    }
    unapplied[unappliedCount++] = entry.index();
    if (unappliedCount > 1 && rules.changesWaitForOwnTerm()) {
      log.commitTo(unapplied[unappliedCount - 2]);
    }
  }

  void merged(long firstChanged, List<Entry> entries) {
    while (unappliedCount > 0 && unapplied[unappliedCount - 1] >= firstChanged) {
      unappliedCount--;
    }
    for (Entry entry : entries) {
      if (entry.index() >= firstChanged) {
        appended(entry);
      }
    }
  }

  boolean handsOutChange(List<Entry> committed) {
    return unappliedCount > 0 && !committed.isEmpty() && unapplied[0] <= committed.getLast().index();
  }

  void applied(long index) {
    int done = 0;
    while (done < unappliedCount && unapplied[done] <= index) {
      done++;
    }
    if (done > 0) {
      System.arraycopy(unapplied, done, unapplied, 0, unappliedCount - done);
      unappliedCount -= done;
    }
  }

  void adopt(MembershipChange change) {
    current = current.with(change);
  }

  void installed(Membership membership) {
    current = membership;
    unappliedCount = 0;
  }

  private void scan() {
    long from = log.applied() + 1;
    while (from <= log.lastIndex()) {
      List<Entry> entries = log.entries(from, log.lastIndex() + 1, SCAN_BYTES);
      entries.forEach(this::appended);
      from += entries.size();
    }
  }
}
