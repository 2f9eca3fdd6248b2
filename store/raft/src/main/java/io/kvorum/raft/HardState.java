package io.kvorum.raft;

/**
 * What a member must have on disk before it answers any message of the term.
 *
 * @param term latest term that the member has seen
 * @param vote candidate that got this member's vote in {@code term}, 0 for none
 * @param commit highest index known to be committed; a hint that saves work after a restart, never required to be exact
 */
public record HardState(long term, long vote, long commit) {
  public static final HardState EMPTY = new HardState(0, 0, 0);
}
