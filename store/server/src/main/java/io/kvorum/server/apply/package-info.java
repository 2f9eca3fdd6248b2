/**
 * The replicated state machine: what a committed entry does to keys, leases, members and alarms. Deterministic, and run by the raft thread alone.
 *
 * <p>A {@link io.kvorum.server.apply.Machine} is made over an open store, which restores every part from the store's checkpoint; consensus then applies what lies behind
 * it. {@link io.kvorum.server.apply.WaitingCalls} connects it to the calls of this member, {@link io.kvorum.server.apply.ChangeListener} to those who follow changes.
 */
package io.kvorum.server.apply;
