package io.kvorum.server.agent;

import io.kvorum.server.agent.upstream.UpstreamSettings;

/** All that an agent is told. */
record AgentSettings(UpstreamSettings upstream, LocalSettings local) {}
