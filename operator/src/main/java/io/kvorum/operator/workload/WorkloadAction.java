package io.kvorum.operator.workload;

/** One step about one workload. Each is done already when it is repeated. */
public sealed interface WorkloadAction {
  Workload workload();

  /** Makes or completes the Secret; a password that is there stays. */
  record WriteSecret(Workload workload, boolean credentials) implements WorkloadAction {}

  record AddRole(Workload workload) implements WorkloadAction {}

  /** Lets the role do this, in place of whatever it may do to the same range. */
  record Grant(Workload workload, Permission permission) implements WorkloadAction {}

  record Revoke(Workload workload, Permission permission) implements WorkloadAction {}

  /** Adds the user with the password of the Secret. */
  record AddUser(Workload workload) implements WorkloadAction {}

  /** Gives the user its role. */
  record GiveRole(Workload workload) implements WorkloadAction {}

  /** Takes a role from the user that is not its own. */
  record TakeRole(Workload workload, String role) implements WorkloadAction {}

  /** Logs in with the password of the Secret, and makes it the user's when it is another one. */
  record Prove(Workload workload) implements WorkloadAction {}

  record RemoveUser(Workload workload) implements WorkloadAction {}

  record RemoveRole(Workload workload) implements WorkloadAction {}

  record DeleteSecret(Workload workload) implements WorkloadAction {}
}
