package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import io.kvorum.raft.Message;
import io.kvorum.raft.SnapshotMeta;
import java.util.ArrayList;
import java.util.List;

/**
 * Messages since the last Ready, in two heaps: those that depend on nothing that is not durable yet, and promises. Bounded by what one step
 * may answer: a message for each member and the window of each follower.
 */
final class Outbox {
  private final long self;
  private List<Message> now = List.of();
  private List<Message> promises = List.of();

  Outbox(long self) {
    this.self = self;
  }

  boolean isEmpty() {
    return now.isEmpty() && promises.isEmpty();
  }

  void send(Message message) {
    now = added(now, message);
  }

  void promise(Message message) {
    promises = added(promises, message);
  }

  List<Message> takeNow() {
    List<Message> taken = now;
    now = List.of();
    return taken;
  }

  List<Message> takePromises() {
    List<Message> taken = promises;
    promises = List.of();
    return taken;
  }

  /** A message that says no more than its type, term and context. */
  Message plain(Message.Type type, long to, long term, long commit, long context) {
    return new Message(type, self, to, term, 0, 0, commit, false, 0, context, List.of(), null);
  }

  Message append(long to, long term, long previousIndex, long previousTerm, long commit, List<Entry> entries) {
    return new Message(Message.Type.APPEND, self, to, term, previousTerm, previousIndex, commit, false, 0, 0, entries, null);
  }

  Message matched(long to, long term, long index, long commit) {
    return new Message(Message.Type.APPEND_RESPONSE, self, to, term, 0, index, commit, false, 0, 0, List.of(), null);
  }

  Message rejected(long to, long term, long index, long hintIndex, long hintTerm, long commit) {
    return new Message(Message.Type.APPEND_RESPONSE, self, to, term, hintTerm, index, commit, true, hintIndex, 0, List.of(), null);
  }

  Message vote(Message.Type type, long to, long term, long lastIndex, long lastTerm, boolean transfer) {
    return new Message(type, self, to, term, lastTerm, lastIndex, 0, false, 0, transfer ? 1 : 0, List.of(), null);
  }

  Message voteAnswer(Message.Type type, long to, long term, boolean granted, long commit, long commitTerm) {
    return new Message(type, self, to, term, commitTerm, 0, commit, !granted, 0, 0, List.of(), null);
  }

  Message snapshot(long to, long term, long commit, SnapshotMeta meta) {
    return new Message(Message.Type.SNAPSHOT, self, to, term, meta.term(), meta.index(), commit, false, 0, 0, List.of(), meta);
  }

  Message readAnswer(long to, long context, long index) {
    return new Message(Message.Type.READ_INDEX_RESPONSE, self, to, 0, 0, Math.max(index, 0), 0, index < 0, 0, context, List.of(), null);
  }

  Message proposal(long to, List<Entry> entries) {
    return new Message(Message.Type.PROPOSE, self, to, 0, 0, 0, 0, false, 0, 0, entries, null);
  }

  private static List<Message> added(List<Message> to, Message message) {
    List<Message> list = to.isEmpty() ? new ArrayList<>(4) : to;
    list.add(message);
    return list;
  }
}
