/**
 * The way from a call to the log and back.
 *
 * <p>In this order: {@link io.kvorum.server.propose.PendingCalls} is made first and given to the state machine; consensus is opened with the state machine; {@link
 * io.kvorum.server.propose.LogProposals} and {@link io.kvorum.server.propose.ReadIndexReads} are made with both. At the end, proposals are closed before consensus.
 */
package io.kvorum.server.propose;
