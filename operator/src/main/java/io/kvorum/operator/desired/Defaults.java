package io.kvorum.operator.desired;

/**
 * What the operator's installation decides for all clusters.
 *
 * @param imageRepository image of the members when a cluster names none
 * @param clusterDomain DNS domain of the Kubernetes cluster, e.g. cluster.local
 */
public record Defaults(String imageRepository, String clusterDomain) {}
