package io.kvorum.operator.workload;

import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The users and roles of a cluster that are workloads', as the store told them.
 *
 * @param clusterId another one after the cluster was made anew
 * @param enabled authentication is in force
 * @param users by name, with the names of the roles that they have
 * @param roles by name, with what they may do
 */
public record Users(long clusterId, boolean enabled, Map<String, Set<String>> users, Map<String, Set<Permission>> roles) {
  public Users {
    users = users.entrySet().stream().collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, entry -> Set.copyOf(entry.getValue())));
    roles = roles.entrySet().stream().collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, entry -> Set.copyOf(entry.getValue())));
  }
}
