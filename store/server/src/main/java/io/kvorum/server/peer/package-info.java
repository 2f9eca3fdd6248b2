/**
 * What members say to each other: messages, snapshot files, forwarded calls.
 *
 * <p>How a member puts it together:
 *
 * <pre>{@code
 * PeerChannels channels = new NettyPeerChannels(peerLoop, channelType, null);               // peerLoop: one thread of its own
 * GenesisFile file = new GenesisFile(memberDirectory);
 * Genesis genesis = file.read();
 * if (genesis == null) {
 *   genesis = new Bootstrap(flags, new GrpcPeerDirectory(channels), PeerUrls.Resolver.SYSTEM).run();
 *   file.write(genesis);                                                                      // before log and store are made
 * }
 * Members members = new Members(genesis);
 * PeerIdentity self = new PeerIdentity(genesis.clusterId(), genesis.memberId(), ownPeerUrls); // newest of members.view(), else the flag
 * PeerTransport transport = new PeerTransport(self, channels, peerLoop, stopProcess);
 * // the raft node: transport, genesis.membership() as the membership of log index 0, the state machine
 * SnapshotReceiver receiver = new SnapshotReceiver(memberDirectory, store, node, failPoint);
 * PeerCalls calls = new PeerCalls(transport, limits);                                         // LeaseForwarder, PromoteForwarder
 * MembershipProposals changes = new MembershipProposals(proposals, timer, limits);
 * ReconfigRules rules = new ReconfigRules(strict, genesis.memberId(), transport);
 * Promotion promotion = new Promotion(kernel, members, rules, changes, calls, timer);
 * ContentHash hash = new ContentHash(kernel, boundedWorkers);
 * PeerService peers = new PeerService(self, members, transport, node, receiver, leases, promotion, hash, chains);
 * // the server of the peer port: peers.definition(), maxInboundMessageSize(PeerService.MESSAGE_BYTES_MAX),
 * // permitKeepAliveTime(5 s), permitKeepAliveWithoutCalls(true), no maximum connection age
 * transport.start(node, genesis.contacts(), new SnapshotSender(self, transport, channels, store, node, 0, failPoint));
 * members.listen(transport);
 * node.start();
 * new Publisher(proposals, timer).publish(genesis.memberId(), name, advertisedClientUrls);
 * timer.scheduleWithFixedDelay(new LeaderDuties(members, node::status, proposals, Version.CLUSTER), 100, 500, MILLISECONDS);
 * }</pre>
 *
 * <p>Stop in the order node, transport, receiver. The JVM's name caches (security properties {@code networkaddress.cache.ttl} and
 * {@code networkaddress.cache.negative.ttl}, and gRPC's: system property {@code networkaddress.cache.ttl}) should be 0 or 1: otherwise the name of a member
 * that is just being created stays unknown for ten seconds, and one that moved to another address is not found for thirty.
 */
package io.kvorum.server.peer;
