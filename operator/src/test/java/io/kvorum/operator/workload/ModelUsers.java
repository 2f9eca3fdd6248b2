package io.kvorum.operator.workload;

import io.kvorum.operator.store.StoreAdmin.Endpoint;
import io.kvorum.operator.store.StoreAdmin.StoreException;
import io.kvorum.operator.store.UserAdmin;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The store's users in memory, by the store's rules. */
public final class ModelUsers implements UserAdmin {
  public final Map<String, Set<String>> users = new HashMap<>();
  public final Map<String, String> passwords = new HashMap<>();
  public final Map<String, Set<Permission>> roles = new HashMap<>();
  public boolean reachable = true;

  private void reach() throws StoreException {
    if (!reachable) {
      throw new StoreException(StoreException.Reason.UNAVAILABLE, "kv-0: no connection");
    }
  }

  private <T> T found(T one) throws StoreException {
    reach();
    if (one == null) {
      throw new StoreException(StoreException.Reason.REFUSED, "not found");
    }
    return one;
  }

  @Override
  public Users read(List<Endpoint> through) throws StoreException {
    reach();
    return new Users(1, true, users, roles);
  }

  @Override
  public void addRole(List<Endpoint> through, String role) throws StoreException {
    reach();
    roles.putIfAbsent(role, new HashSet<>());
  }

  @Override
  public void grant(List<Endpoint> through, String role, Permission permission) throws StoreException {
    found(roles.get(role)).removeIf(permission::sameRange);
    roles.get(role).add(permission);
  }

  @Override
  public void revoke(List<Endpoint> through, String role, Permission permission) throws StoreException {
    found(roles.get(role)).removeIf(permission::sameRange);
  }

  @Override
  public void addUser(List<Endpoint> through, String user, String password) throws StoreException {
    reach();
    users.putIfAbsent(user, new HashSet<>());
    passwords.putIfAbsent(user, password);
  }

  @Override
  public void giveRole(List<Endpoint> through, String user, String role) throws StoreException {
    found(roles.get(role));
    found(users.get(user)).add(role);
  }

  @Override
  public void takeRole(List<Endpoint> through, String user, String role) throws StoreException {
    found(users.get(user)).remove(role);
  }

  @Override
  public boolean accepts(List<Endpoint> through, String user, String password) throws StoreException {
    return found(passwords.get(user)).equals(password);
  }

  @Override
  public void changePassword(List<Endpoint> through, String user, String password) throws StoreException {
    found(users.get(user));
    passwords.put(user, password);
  }

  @Override
  public void removeUser(List<Endpoint> through, String user) throws StoreException {
    reach();
    users.remove(user);
    passwords.remove(user);
  }

  @Override
  public void removeRole(List<Endpoint> through, String role) throws StoreException {
    reach();
    roles.remove(role);
    users.values().forEach(held -> held.remove(role));
  }
}
