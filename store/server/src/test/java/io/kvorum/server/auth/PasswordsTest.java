package io.kvorum.server.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.util.Base64;
import org.junit.jupiter.api.Test;

class PasswordsTest {
  private final Passwords passwords = new Passwords(4);

  private ByteString hash(String password) {
    return ByteString.copyFrom(Base64.getDecoder().decode(passwords.hash(password)));
  }

  @Test
  void a_hash_has_the_form_that_etcd_writes_and_matches_its_password_alone() {
    ByteString hash = hash("secret");

    assertThat(hash.toStringUtf8()).startsWith("$2a$04$").hasSize(60);
    assertThat(passwords.matches(hash, "secret")).isTrue();
    assertThat(passwords.matches(hash, "secreT")).isFalse();
    assertThat(passwords.matches(ByteString.copyFromUtf8("x"), "x")).isFalse();
  }

  @Test
  void empty_passwords_and_the_longest_ones_work() {
    assertThat(passwords.matches(hash(""), "")).isTrue();
    assertThat(passwords.matches(hash(""), "x")).isFalse();
    String longest = "x".repeat(72);
    assertThat(passwords.matches(hash(longest), longest)).isTrue();
    assertThat(passwords.matches(hash(longest), longest.substring(1) + "y")).isFalse();
    assertThatThrownBy(() -> passwords.hash(longest + "x")).hasMessageContaining("bcrypt: password length exceeds 72 bytes");
  }

  @Test
  void hashes_that_etcd_wrote_match() {
    ByteString hash = ByteString.copyFromUtf8("$2a$04$6WnQ3aQc/qh3AUPFzpA65undCoPhI9wXbAK5TX29SrPq3r/TLaqtq");
    assertThat(passwords.matches(hash, "pass word")).isTrue();
    assertThat(passwords.matches(hash, "password")).isFalse();
    assertThat(passwords.matches(ByteString.copyFromUtf8("$2a$04$yk8taNhipdtLGhLXizzPM.pcEbxgzX2mmP7QF1zlHnjhdWeAuVODy"), "")).isTrue();
  }
}
