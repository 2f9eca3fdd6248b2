/**
 * Leases. {@link io.kvorum.server.lease.Lessor} holds what is replicated, and the deadlines while this member leads; {@link
 * io.kvorum.server.lease.LeaseKeeper} is the leader's clockwork (expiry, checkpoints); {@link io.kvorum.server.lease.LocalLeases} answers what only the leader
 * knows, for this member's clients and for other members; {@link io.kvorum.server.lease.LeaseService} is the gRPC side, which forwards when another leads.
 */
package io.kvorum.server.lease;
