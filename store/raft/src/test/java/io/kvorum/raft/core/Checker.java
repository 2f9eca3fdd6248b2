package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.SnapshotMeta;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What must hold in every run, checked by increments after every event:
 *
 * <ol>
 *   <li>Election safety: at most one leader in a term.
 *   <li>Leader append-only: a leader never overwrites or deletes entries of its log.
 *   <li>Log matching: an index and a term name one entry and one predecessor, so logs that agree at one place agree before it.
 *   <li>Leader completeness: what was committed in an earlier term is in the log of each leader.
 *   <li>State machine safety: nobody commits or applies another entry at an index.
 *   <li>A linearizable read is never given an index below what was known to be committed when it was asked.
 *   <li>A leader takes in a membership change only after it committed an entry of its term and applied the change before.
 * </ol>
 */
final class Checker {
  /** Something that must hold did not. */
  static final class Violation extends AssertionError {
    private static final long serialVersionUID = 1L;

    Violation(String message) {
      super(message);
    }
  }

  private final Map<Long, Long> leaders = new HashMap<>();
  /** By index: (term, content, term of predecessor), repeated for each term seen at that index. */
  private long[][] entries = new long[1024][];
  private long[] committedTerm = new long[1024];
  private long[] committedInTerm = new long[1024];
  private long maxCommitted;
  private long installs;
  private long changes;
  private long changedAt;

  long maxCommitted() {
    return maxCommitted;
  }

  /** What the run went through: leaders, committed entries, membership changes, snapshots. */
  long[] coverage() {
    return new long[] {leaders.size(), maxCommitted, changes, installs};
  }

  /** Newest membership change that anybody applied. */
  long changedAt() {
    return changedAt;
  }

  static void require(boolean holds, String what) {
    if (!holds) {
      throw new Violation(what);
    }
  }

  /** Before the entries go to the member's log. */
  void appends(SimMember member, List<Entry> appended) {
    MemoryLog log = member.view;
    Parts parts = member.core.parts;
    long from = appended.getFirst().index();
    boolean leads = parts.roles.isLeader();
    require(!leads || from == log.lastIndex() + 1, "leader append-only: member " + member.id + " overwrites " + from + ".." + log.lastIndex());
    long previous = log.term(from - 1);
    // A sole voter shows nobody what it has not made durable; a crash may undo it, term and all.
    boolean solitary = leads && parts.log.persisted() < parts.replication.firstOfTerm();
    for (Entry entry : appended) {
      if (!solitary) {
        registers(entry, previous);
      }
      previous = entry.term();
      if (leads && entry.type() == EntryType.MEMBERSHIP) {
        long commitTerm = parts.log.term(parts.log.commit());
        require(commitTerm == parts.roles.term(), "a change at " + entry.index() + " entered the log before an entry of its term was committed");
        boolean pending = unappliedChangeBefore(member, entry.index());
        require(!pending, "a change at " + entry.index() + " entered the log before the one before it was applied");
      }
    }
  }

  private static boolean unappliedChangeBefore(SimMember member, long index) {
    for (long i = Math.max(member.applied + 1, member.view.firstIndex()); i < Math.min(index, member.view.lastIndex() + 1); i++) {
      if (member.view.get(i).type() == EntryType.MEMBERSHIP) {
        return true;
      }
    }
    return false;
  }

  void stores(SimMember member, List<Entry> stored) {
    long previous = stored.isEmpty() ? 0 : member.durable.term(stored.getFirst().index() - 1);
    for (Entry entry : stored) {
      registers(entry, previous);
      previous = entry.term();
    }
  }

  private void registers(Entry entry, long previousTerm) {
    int index = (int) entry.index();
    long content = Arrays.hashCode(entry.data()) * 31L + entry.type().ordinal();
    if (index >= entries.length) {
      entries = Arrays.copyOf(entries, entries.length * 2);
    }
    long[] known = entries[index] == null ? new long[0] : entries[index];
    for (int i = 0; i < known.length; i += 3) {
      if (known[i] == entry.term()) {
        require(known[i + 1] == content && known[i + 2] == previousTerm, "log matching: two entries at " + index + "/" + entry.term());
        return;
      }
    }
    entries[index] = Arrays.copyOf(known, known.length + 3);
    entries[index][known.length] = entry.term();
    entries[index][known.length + 1] = content;
    entries[index][known.length + 2] = previousTerm;
  }

  /** After every event at a member. */
  void observes(SimMember member) {
    Parts parts = member.core.parts;
    long term = parts.roles.term();
    if (parts.roles.isLeader() && member.seenLeadingTerm != term) {
      member.seenLeadingTerm = term;
      Long other = leaders.putIfAbsent(term, member.id);
      require(other == null || other == member.id, "election safety: " + other + " and " + member.id + " lead term " + term);
      completeness(member, term);
    }
    long commit = parts.log.commit();
    while (member.seenCommit < commit) {
      committed(member, ++member.seenCommit, term);
    }
  }

  private void completeness(SimMember member, long term) {
    long index = maxCommitted;
    while (index > 0 && committedInTerm[(int) index] >= term) {
      index--;
    }
    if (index < member.view.firstIndex()) {
      return;
    }
    boolean holds = index <= member.view.lastIndex() && member.view.term(index) == committedTerm[(int) index];
    require(holds, "leader completeness: member " + member.id + " leads term " + term + " without committed entry " + index);
  }

  private void committed(SimMember member, long index, long term) {
    long entryTerm = member.view.term(index);
    if (index > maxCommitted) {
      require(index == maxCommitted + 1, "commit skips from " + maxCommitted + " to " + index);
      maxCommitted = index;
      if (index >= committedTerm.length) {
        committedTerm = Arrays.copyOf(committedTerm, committedTerm.length * 2);
        committedInTerm = Arrays.copyOf(committedInTerm, committedTerm.length);
      }
      committedTerm[(int) index] = entryTerm;
      committedInTerm[(int) index] = term;
    }
    long known = committedTerm[(int) index];
    require(known == entryTerm, "state machine safety: member " + member.id + " commits " + index + "/" + entryTerm + ", known as term " + known);
  }

  void applies(SimMember member, Entry entry) {
    if (entry.type() == EntryType.MEMBERSHIP && entry.index() > changedAt) {
      changedAt = entry.index();
      changes++;
    }
    require(entry.index() <= maxCommitted, "state machine safety: " + entry.index() + " is applied and not committed");
    long known = committedTerm[(int) entry.index()];
    String what = "member " + member.id + " applies " + entry.index() + "/" + entry.term() + ", known as term " + known;
    require(known == entry.term(), "state machine safety: " + what);
  }

  void installs(SimMember member, SnapshotMeta meta) {
    boolean holds = meta.index() <= maxCommitted && committedTerm[(int) meta.index()] == meta.term();
    require(holds, "state machine safety: member " + member.id + " installs " + meta.index() + "/" + meta.term());
    member.seenCommit = meta.index();
    installs++;
  }
}
