package io.kvorum.server.auth;

import io.kvorum.protocol.authpb.Permission;
import io.kvorum.protocol.authpb.Role;
import java.util.ArrayList;
import java.util.List;

/**
 * What one user may do by all of its roles.
 *
 * @param root everything
 * @param read keys that may be read
 * @param write keys that may be written
 */
record Permissions(boolean root, KeyRanges read, KeyRanges write) {
  static Permissions of(boolean root, List<Role> roles) {
    List<KeyRanges.Range> read = new ArrayList<>();
    List<KeyRanges.Range> write = new ArrayList<>();
    for (Role role : roles) {
      for (Permission permission : role.getKeyPermissionList()) {
        KeyRanges.Range range = KeyRanges.Range.of(permission.getKey().toByteArray(), permission.getRangeEnd().toByteArray());
        if (permission.getPermType() == Permission.Type.READ || permission.getPermType() == Permission.Type.READWRITE) {
          read.add(range);
        }
        if (permission.getPermType() == Permission.Type.WRITE || permission.getPermType() == Permission.Type.READWRITE) {
          write.add(range);
        }
      }
    }
    return new Permissions(root, KeyRanges.union(read), KeyRanges.union(write));
  }
}
