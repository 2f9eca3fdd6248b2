package io.kvorum.server.auth;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.kvorum.protocol.authpb.User;
import io.kvorum.protocol.authpb.UserAddOptions;
import io.kvorum.protocol.internal.StoredAuth;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/** Gives root another password in a state at rest: whoever makes a new cluster from an old one's backup may not have the old password any more. */
public final class RootPassword {
  private static final String ROOT = "root";

  /** As the server's default. */
  private static final int COST = 10;

  private static final int SALT_BYTES = 16;

  private RootPassword() {}

  /**
   * The same users and roles with another password of root; as it was when there is no root.
   *
   * @param state what MachineState.auth holds
   * @param clusterId of the new cluster, of which the salt is made: each of its members begins with the very same state
   * @throws IllegalArgumentException when the password is empty or longer than 72 bytes
   * @throws InvalidProtocolBufferException when the state is none
   */
  public static ByteString set(ByteString state, String password, long clusterId) throws InvalidProtocolBufferException {
    if (password.isEmpty() || password.getBytes(StandardCharsets.UTF_8).length > Passwords.BYTES_MAX) {
      throw new IllegalArgumentException("a password of root has 1 to " + Passwords.BYTES_MAX + " bytes");
    }
    StoredAuth auth = StoredAuth.parseFrom(state);
    StoredAuth.Builder changed = auth.toBuilder();
    for (int i = 0; i < auth.getUsersCount(); i++) {
      User user = auth.getUsers(i);
      if (user.getName().toStringUtf8().equals(ROOT)) {
        ByteString hash = ByteString.copyFrom(new Passwords(COST).hash(password, salt(clusterId)));
        changed.setUsers(i, user.toBuilder().setPassword(hash).setOptions(UserAddOptions.newBuilder().setNoPassword(false)));
      }
    }
    return changed.build().toByteString();
  }

  private static byte[] salt(long clusterId) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(ByteBuffer.allocate(Long.BYTES).putLong(clusterId).array());
      return Arrays.copyOf(digest, SALT_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
