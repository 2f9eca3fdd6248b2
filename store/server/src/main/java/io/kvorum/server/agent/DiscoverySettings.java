package io.kvorum.server.agent;

import io.kvorum.server.agent.registration.RegistrationSettings;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;

/**
 * How the pod is found, and finds others.
 *
 * @param registration null when it is not registered
 * @param controlSocket where it is asked to deregister
 * @param dnsListen none for no DNS
 * @param prefix of the services that DNS knows
 */
record DiscoverySettings(RegistrationSettings registration, Path controlSocket, List<InetSocketAddress> dnsListen, String dnsDomain, String prefix) {}
