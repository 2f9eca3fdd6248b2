package io.kvorum.operator.event;

/**
 * Something that the user is told.
 *
 * @param member member that it is about, empty for the cluster
 */
public record PlannedEvent(EventReason reason, String member, String message) {}
