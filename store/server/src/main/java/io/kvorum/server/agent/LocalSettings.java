package io.kvorum.server.agent;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * What is served, and whom.
 *
 * @param clientUrls loopback addresses and unix sockets
 * @param metricsUrls of health and metrics alone
 * @param allowedUids null for all
 * @param tokenFile null when callers need no token
 */
record LocalSettings(List<String> clientUrls, List<String> metricsUrls, Set<Integer> allowedUids, Path tokenFile) {}
