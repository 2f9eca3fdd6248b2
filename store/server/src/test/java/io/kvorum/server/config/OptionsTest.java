package io.kvorum.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OptionsTest {
  private static ServerConfig serve(Map<String, String> environment, String... arguments) {
    Parsed parsed = new ConfigParser(FlagTable.etcd36(), file -> "").parse(List.of(arguments), environment);
    assertThat(parsed).isInstanceOf(Parsed.Serve.class);
    return ((Parsed.Serve) parsed).config();
  }

  private static Options file(String yaml) {
    Parsed parsed = new ConfigParser(FlagTable.etcd36(), file -> yaml).parse(List.of("--config-file=x"), Map.of());
    assertThat(parsed).isInstanceOf(Parsed.Serve.class);
    return ((Parsed.Serve) parsed).config().options();
  }

  @Test
  void what_was_given_counts_alike_whatever_way_it_came() {
    Options flags = serve(Map.of(), "--name=a", "--pre-vote", "--cipher-suites=X,Y", "--trusted-ca-file=ca", "--election-timeout=2000").options();
    Options variables =
        serve(Map.of("ETCD_NAME", "a", "ETCD_PRE_VOTE", "T", "ETCD_CIPHER_SUITES", "X,Y", "ETCD_TRUSTED_CA_FILE", "ca", "ETCD_ELECTION_TIMEOUT", "2000")).options();
    Options yaml = file("name: a\npre-vote: true\ncipher-suites: [X, Y]\nelection-timeout: 2000\nclient-transport-security:\n  trusted-ca-file: ca\n");
    assertThat(flags.given())
        .containsExactly(
            Map.entry("cipher-suites", "X,Y"), Map.entry("election-timeout", "2000"), Map.entry("name", "a"), Map.entry("pre-vote", "true"),
            Map.entry("trusted-ca-file", "ca"));
    assertThat(variables).isEqualTo(flags);
    assertThat(yaml).isEqualTo(flags);
  }

  @Test
  void the_hash_is_that_of_the_lines() {
    assertThat(serve(Map.of()).options().hash()).isEqualTo("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    // printf 'heartbeat-interval=90\nname=a\n' | sha256sum
    assertThat(serve(Map.of(), "--name=a", "--heartbeat-interval=90").options().hash())
        .isEqualTo("cf8b04bb3a05619da481826d39791298f2ce3b8719723dee7e63690984b9cefc");
  }

  @Test
  void deprecated_names_and_gates_count_under_their_current_ones() {
    Options old =
        serve(Map.of(), "--experimental-corrupt-check-time=5s", "--experimental-initial-corrupt-check", "--experimental-compact-hash-check-enabled=false").options();
    Options now = serve(Map.of(), "--corrupt-check-time=5s", "--feature-gates=InitialCorruptCheck=1, CompactHashCheck=f").options();
    assertThat(old.given()).containsOnly(Map.entry("corrupt-check-time", "5s"), Map.entry("feature-gates", "CompactHashCheck=false,InitialCorruptCheck=true"));
    assertThat(now).isEqualTo(old);
    assertThat(serve(Map.of(), "--vv", "--cert-file=", "--discovery-password=secret").options().given()).isEmpty();
  }

  @Test
  void all_alpha_and_all_beta_stand_behind_what_is_named() {
    assertThat(serve(Map.of(), "--feature-gates=AllAlpha=true,LeaseCheckpoint=true,InitialCorruptCheck=false").featureGates())
        .containsEntry("CompactHashCheck", true).containsEntry("SetMemberLocalAddr", true).containsEntry("InitialCorruptCheck", false)
        .containsEntry("TxnModeWriteWithSharedBuffer", true).containsEntry("AllBeta", false);
    assertThat(serve(Map.of(), "--feature-gates=AllBeta=false").featureGates())
        .containsEntry("TxnModeWriteWithSharedBuffer", false).containsEntry("CompactHashCheck", false);
  }

  @Test
  void reloading_takes_what_can_change_and_names_the_rest() {
    ServerConfig running = serve(Map.of(), "--name=a", "--quota-backend-bytes=5", "--memory-mlock");
    ServerConfig fresh = serve(Map.of(), "--name=b", "--auto-compaction-retention=1h", "--listen-metrics-urls=http://127.0.0.1:1");
    Reload reload = Reload.of(running, fresh);
    assertThat(reload.changed()).extracting(Options.Change::name).containsExactly("auto-compaction-retention", "memory-mlock", "quota-backend-bytes");
    assertThat(reload.waiting()).containsExactly(new Options.Change("listen-metrics-urls", "", "http://127.0.0.1:1"), new Options.Change("name", "a", "b"));
    assertThat(reload.config().name()).isEqualTo("a");
    assertThat(reload.config().listen().metricsUrls()).isEmpty();
    assertThat(reload.config().maintenance().autoCompactionRetention()).isEqualTo(3_600_000_000_000L);
    assertThat(reload.config().limits().quotaBytes()).isEqualTo(2L << 30);
    assertThat(reload.config().options()).isEqualTo(serve(Map.of(), "--name=a", "--auto-compaction-retention=1h").options());
    assertThat(Reload.of(running, running).changed()).isEmpty();
    assertThat(Reload.of(running, running).config()).isSameAs(running);
  }

  @Test
  void what_would_refuse_a_start_refuses_a_reload() {
    ServerConfig running = serve(Map.of(), "--name=a");
    CurrentConfig wrong = new CurrentConfig(running, () -> new ConfigParser(FlagTable.etcd36(), file -> "").parse(List.of("--heartbeat-interval=0"), Map.of()));
    assertThatThrownBy(wrong::read).isInstanceOf(IllegalArgumentException.class).hasMessage("--heartbeat-interval must be >0 (set to 0ms)");
    assertThat(wrong.get()).isSameAs(running);
  }
}
