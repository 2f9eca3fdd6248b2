package io.kvorum.server.agent.registration;

/**
 * How a withdrawal ended.
 *
 * @param confirmed the cluster has said that the lease, and so the entry, is gone (or there never was one)
 * @param detail when it has not: why, and until when the entry may stay
 */
public record Withdrawal(boolean confirmed, String detail) {}
