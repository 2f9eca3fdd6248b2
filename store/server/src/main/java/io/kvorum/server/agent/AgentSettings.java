package io.kvorum.server.agent;

import io.kvorum.server.agent.upstream.UpstreamSettings;

/**
 * All that an agent is told.
 *
 * @param mirror null when nothing is copied
 */
record AgentSettings(UpstreamSettings upstream, LocalSettings local, MirrorSettings mirror, DiscoverySettings discovery) {}
