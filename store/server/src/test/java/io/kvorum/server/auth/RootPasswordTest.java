package io.kvorum.server.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.authpb.User;
import io.kvorum.protocol.internal.StoredAuth;
import org.junit.jupiter.api.Test;

class RootPasswordTest {
  private static User user(String name, String hash) {
    return User.newBuilder().setName(ByteString.copyFromUtf8(name)).setPassword(ByteString.copyFromUtf8(hash)).addRoles(name).build();
  }

  @Test
  void root_alone_gets_another_password() throws Exception {
    StoredAuth before = StoredAuth.newBuilder().setEnabled(true).setRevision(7).addUsers(user("anna", "hash")).addUsers(user("root", "old")).build();

    StoredAuth after = StoredAuth.parseFrom(RootPassword.set(before.toByteString(), "new password", 5));

    assertThat(new Passwords(4).matches(after.getUsers(1).getPassword(), "new password")).isTrue();
    assertThat(after.getUsers(1).getRolesList()).containsExactly("root");
    assertThat(after.getUsers(0)).isEqualTo(before.getUsers(0));
    assertThat(after.getRevision()).isEqualTo(7);
    assertThat(after.getEnabled()).isTrue();
    assertThat(RootPassword.set(before.toByteString(), "new password", 5)).as("for another member of the same cluster").isEqualTo(after.toByteString());
    assertThat(RootPassword.set(before.toByteString(), "new password", 6)).isNotEqualTo(after.toByteString());
  }

  @Test
  void users_without_root_stay_as_they_are() throws Exception {
    StoredAuth before = StoredAuth.newBuilder().addUsers(user("anna", "hash")).build();
    assertThat(RootPassword.set(before.toByteString(), "p", 5)).isEqualTo(before.toByteString());
  }

  @Test
  void a_password_that_nobody_could_log_in_with_is_refused() {
    assertThatThrownBy(() -> RootPassword.set(ByteString.EMPTY, "", 5)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> RootPassword.set(ByteString.EMPTY, "x".repeat(73), 5)).hasMessageContaining("72");
  }
}
