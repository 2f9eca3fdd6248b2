package io.kvorum.operator.store;

import io.kvorum.operator.store.StoreAdmin.Endpoint;
import io.kvorum.operator.store.StoreAdmin.StoreException;
import io.kvorum.operator.workload.Permission;
import io.kvorum.operator.workload.Users;
import java.util.List;

/**
 * Users and roles of workloads in the store. Each call asks at most three members, each for {@link StoreAdmin#TIMEOUT}, and is done already when it is repeated. No
 * password is in any error's text.
 */
public interface UserAdmin {

  /** All users and roles whose names begin as workloads' do. */
  Users read(List<Endpoint> through) throws StoreException;

  void addRole(List<Endpoint> through, String role) throws StoreException;

  /** Sets what a role may do to a range. */
  void grant(List<Endpoint> through, String role, Permission permission) throws StoreException;

  void revoke(List<Endpoint> through, String role, Permission permission) throws StoreException;

  /** Adds a user; one that exists stays as it is. */
  void addUser(List<Endpoint> through, String user, String password) throws StoreException;

  void giveRole(List<Endpoint> through, String user, String role) throws StoreException;

  void takeRole(List<Endpoint> through, String user, String role) throws StoreException;

  /** Whether the store takes this password; asked only while authentication is in force. */
  boolean accepts(List<Endpoint> through, String user, String password) throws StoreException;

  /** Sets a password; the user's tokens end. */
  void changePassword(List<Endpoint> through, String user, String password) throws StoreException;

  /** Removes a user; its tokens end. */
  void removeUser(List<Endpoint> through, String user) throws StoreException;

  void removeRole(List<Endpoint> through, String role) throws StoreException;
}
