/**
 * The agent's DNS for registered services, on loopback alone: {@link io.kvorum.server.agent.dns.Zone} answers questions from a {@link io.kvorum.server.agent.dns.ServiceTable},
 * {@link io.kvorum.server.agent.dns.WatchedServices} keeps that equal to the services' prefix, {@link io.kvorum.server.agent.dns.DnsServer} has the sockets. No question goes to the cluster.
 */
package io.kvorum.server.agent.dns;
