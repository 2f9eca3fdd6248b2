package io.kvorum.operator.runtime;

import io.kvorum.operator.desired.ServerOptions;
import io.kvorum.operator.store.StoreAdmin.Endpoint;
import io.kvorum.operator.store.StoreAdmin.StoreException;
import io.kvorum.operator.store.UserAdmin;
import io.kvorum.operator.workload.Users;
import io.kvorum.operator.workload.Workload;
import io.kvorum.operator.workload.WorkloadAction;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The users of one cluster's workloads in its store. Not safe for several threads. */
public final class WorkloadUsers {
  private final UserAdmin store;

  /** By user the hash of the password that this cluster has taken, since this operator looks after it. At most as many as there are workloads. */
  private final Map<String, String> proven = new HashMap<>();

  private long provenBy;

  public WorkloadUsers(UserAdmin store) {
    this.store = store;
  }

  /** What the store says. A cluster that was made anew, or put back, has proven nothing yet. */
  public Users read(List<Endpoint> through) throws StoreException {
    Users users = store.read(through);
    if (users.clusterId() != provenBy) {
      proven.clear();
      provenBy = users.clusterId();
    }
    proven.keySet().retainAll(users.users().keySet());
    return users;
  }

  /**
   * Users whose password was taken.
   *
   * @param passwords of the Secrets now
   */
  public Set<String> proven(Map<Workload, String> passwords) {
    return passwords.entrySet().stream()
        .filter(one -> ServerOptions.sha256(one.getValue()).equals(proven.get(one.getKey().user())))
        .map(one -> one.getKey().user())
        .collect(Collectors.toUnmodifiableSet());
  }

  /**
   * Carries one action out; those about the Secret are none of the store's.
   *
   * @param password of the workload's Secret as it is stored now; empty when there is none, and then nothing is done that needs one
   */
  public void execute(WorkloadAction action, List<Endpoint> through, Optional<String> password) throws StoreException {
    String name = action.workload().user();
    switch (action) {
      case WorkloadAction.AddRole one -> store.addRole(through, name);
      case WorkloadAction.Grant one -> store.grant(through, name, one.permission());
      case WorkloadAction.Revoke one -> store.revoke(through, name, one.permission());
      case WorkloadAction.AddUser one -> store.addUser(through, name, needed(password));
      case WorkloadAction.GiveRole one -> store.giveRole(through, name, name);
      case WorkloadAction.TakeRole one -> store.takeRole(through, name, one.role());
      case WorkloadAction.Prove one -> prove(name, needed(password), through);
      case WorkloadAction.RemoveUser one -> store.removeUser(through, name);
      case WorkloadAction.RemoveRole one -> store.removeRole(through, name);
      case WorkloadAction.WriteSecret one -> throw new IllegalArgumentException(one.toString());
      case WorkloadAction.DeleteSecret one -> throw new IllegalArgumentException(one.toString());
    }
  }

  private static String needed(Optional<String> password) throws StoreException {
    return password.orElseThrow(() -> new StoreException(StoreException.Reason.NOT_READY, "the Secret has no password yet"));
  }

  private void prove(String user, String password, List<Endpoint> through) throws StoreException {
    if (!store.accepts(through, user, password)) {
      store.changePassword(through, user, password);
    }
    proven.put(user, ServerOptions.sha256(password));
  }
}
