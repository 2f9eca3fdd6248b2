package io.kvorum.server.auth;

import io.kvorum.protocol.authpb.Role;
import io.kvorum.protocol.authpb.User;
import io.kvorum.server.base.EtcdError;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/** All users and roles at one auth revision. Immutable; what a user may do is worked out once and kept. */
final class AuthView {
  /** Name of the user and of the role that may do everything. */
  static final String ROOT = "root";

  private static final long FIRST_REVISION = 1;

  private final boolean enabled;
  private final long revision;
  private final SortedMap<String, User> users;
  private final SortedMap<String, Role> roles;
  private final Map<String, Permissions> permissions = new ConcurrentHashMap<>();

  AuthView(boolean enabled, long revision, SortedMap<String, User> users, SortedMap<String, Role> roles) {
    this.enabled = enabled;
    this.revision = revision;
    this.users = users;
    this.roles = roles;
  }

  static AuthView empty() {
    return new AuthView(false, FIRST_REVISION, Collections.emptySortedMap(), Collections.emptySortedMap());
  }

  boolean enabled() {
    return enabled;
  }

  long revision() {
    return revision;
  }

  /** By name. */
  SortedMap<String, User> users() {
    return Collections.unmodifiableSortedMap(users);
  }

  /** By name. */
  SortedMap<String, Role> roles() {
    return Collections.unmodifiableSortedMap(roles);
  }

  AuthView on() {
    return new AuthView(true, revision, users, roles);
  }

  AuthView off() {
    return new AuthView(false, revision + 1, users, roles);
  }

  AuthView with(User user) {
    SortedMap<String, User> changed = new TreeMap<>(users);
    changed.put(user.getName().toStringUtf8(), user);
    return new AuthView(enabled, revision + 1, changed, roles);
  }

  AuthView withoutUser(String name) {
    SortedMap<String, User> changed = new TreeMap<>(users);
    changed.remove(name);
    return new AuthView(enabled, revision + 1, changed, roles);
  }

  AuthView with(Role role) {
    SortedMap<String, Role> changed = new TreeMap<>(roles);
    changed.put(role.getName().toStringUtf8(), role);
    return new AuthView(enabled, revision + 1, users, changed);
  }

  /** The role goes, and every user loses it. */
  AuthView withoutRole(String name) {
    SortedMap<String, Role> left = new TreeMap<>(roles);
    left.remove(name);
    SortedMap<String, User> changed = new TreeMap<>(users);
    changed.replaceAll((user, value) -> value.getRolesList().contains(name) ? withoutRole(value, name) : value);
    return new AuthView(enabled, revision + 1, changed, left);
  }

  static User withoutRole(User user, String role) {
    return user.toBuilder().clearRoles().addAllRoles(user.getRolesList().stream().filter(name -> !name.equals(role)).toList()).build();
  }

  boolean hasRole(String user, String role) {
    User found = users.get(user);
    return found != null && found.getRolesList().contains(role);
  }

  /** Null for a user that does not exist. */
  Permissions permissions(String name) {
    User user = users.get(name);
    return user == null ? null : permissions.computeIfAbsent(name, ignored -> permissions(user));
  }

  private Permissions permissions(User user) {
    List<Role> held = new ArrayList<>();
    for (String name : user.getRolesList()) {
      Role role = roles.get(name);
      if (role != null) {
        held.add(role);
      }
    }
    return Permissions.of(user.getRolesList().contains(ROOT), held);
  }

  /** Whether the caller has the root role; null, or the refusal. The age of its credentials does not matter here, as in etcd. */
  EtcdError admin(Caller caller) {
    if (!enabled || caller.refusal() != null) {
      return enabled ? caller.refusal() : null;
    }
    if (caller.name().isEmpty()) {
      return EtcdError.USER_NAME_IS_EMPTY;
    }
    if (!users.containsKey(caller.name())) {
      return EtcdError.USER_NAME_NOT_FOUND;
    }
    return hasRole(caller.name(), ROOT) ? null : EtcdError.PERMISSION_DENIED;
  }

  /** Whether the caller is a user at all; null, or the refusal. */
  EtcdError user(Caller caller) {
    if (!enabled || caller.refusal() != null) {
      return enabled ? caller.refusal() : null;
    }
    if (caller.name().isEmpty() || caller.revision() == 0) {
      return EtcdError.USER_NAME_IS_EMPTY;
    }
    if (caller.revision() < revision) {
      return EtcdError.REVISION_OF_AUTH_STORE_IS_OLD;
    }
    return users.containsKey(caller.name()) ? null : EtcdError.PERMISSION_DENIED;
  }
}
