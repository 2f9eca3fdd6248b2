package io.kvorum.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigParserTest {
  private static Parsed parse(Map<String, String> environment, String... arguments) {
    ConfigParser.FileReader noFiles =
        file -> {
          throw new NoSuchFileException(file.toString());
        };
    return new ConfigParser(FlagTable.etcd36(), noFiles).parse(Arrays.asList(arguments), environment);
  }

  private static Parsed parseYaml(String yaml, String... more) {
    String[] arguments = Arrays.copyOf(more, more.length + 1);
    arguments[more.length] = "--config-file=etcd.yml";
    return new ConfigParser(FlagTable.etcd36(), file -> yaml).parse(Arrays.asList(arguments), Map.of("ETCD_NAME", "ignored"));
  }

  private static ServerConfig serve(String... arguments) {
    return serve(parse(Map.of(), arguments));
  }

  private static ServerConfig serve(Parsed parsed) {
    assertThat(parsed).isInstanceOf(Parsed.Serve.class);
    return ((Parsed.Serve) parsed).config();
  }

  private static String refusal(Parsed parsed) {
    assertThat(parsed).isInstanceOf(Parsed.Refused.class);
    Parsed.Notice notice = ((Parsed.Refused) parsed).refusal();
    return notice.event() + " " + notice.keysAndValues();
  }

  private static List<String> events(Parsed parsed) {
    return ((Parsed.Serve) parsed).notices().stream().map(Parsed.Notice::event).toList();
  }

  @Test
  void without_anything_it_is_etcds_default() {
    ServerConfig config = serve();
    assertThat(config.name()).isEqualTo("default");
    assertThat(config.dataDir()).hasToString("default.etcd");
    assertThat(config.listen().clientUrls()).containsExactly("http://localhost:2379");
    assertThat(config.listen().peerUrls()).containsExactly("http://localhost:2380");
    assertThat(config.cluster().initial()).containsExactly(Map.entry("default", List.of("http://localhost:2380")));
    assertThat(config.cluster().advertiseClientUrls()).containsExactly("http://localhost:2379");
    assertThat(config.cluster().existing()).isFalse();
    assertThat(config.cluster().token()).isEqualTo("etcd-cluster");
    assertThat(config.limits().maxRequestBytes()).isEqualTo(1_572_864);
    assertThat(config.limits().maxTxnOps()).isEqualTo(128);
    assertThat(config.limits().electionMillis()).isEqualTo(1000);
    assertThat(config.limits().quotaBytes()).isEqualTo(2L << 30);
    assertThat(config.limits().watchProgressMillis()).isEqualTo(600_000);
    assertThat(config.grpc().maxConcurrentStreams()).isEqualTo(4_294_967_295L);
    assertThat(config.grpc().keepAliveMinTime()).isEqualTo(Duration.ofSeconds(5));
    assertThat(config.http().cors()).containsExactly("*");
    assertThat(config.maintenance().autoCompactionRetention()).isZero();
    assertThat(config.options().given()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      value = {
        "--name=a,-,a",
        "--name,a,a",
        "-name,a,a",
        "-name=a,-,a",
        "--name=,-,''",
        "--name,--name,--name",
      })
  void values_come_behind_a_space_or_an_equals_sign_with_one_dash_or_two(String first, String second, String name) {
    ServerConfig config = second == null ? serve(first) : serve(first, second);
    assertThat(config.name()).isEqualTo(name);
  }

  @ParameterizedTest
  @CsvSource({"--force-new-cluster,true", "--force-new-cluster=T,true", "--force-new-cluster=false,false", "-force-new-cluster=1,true"})
  void a_boolean_may_stand_bare(String argument, boolean expected) {
    assertThat(serve(argument).cluster().forceNew()).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--nonsense | flag provided but not defined: -nonsense",
        "---name=a | bad flag syntax: ---name=a",
        "--=a | bad flag syntax: --=a",
        "--name | flag needs an argument: -name",
        "--pre-vote=maybe | invalid boolean value \"maybe\" for -pre-vote: parse error",
        "--snapshot-count=-1 | invalid value \"-1\" for flag -snapshot-count: parse error",
        "--max-concurrent-streams=4294967296 | invalid value \"4294967296\" for flag -max-concurrent-streams: value out of range",
        "--watch-progress-notify-interval=5 | invalid value \"5\" for flag -watch-progress-notify-interval: parse error",
        "--initial-cluster-state=old | invalid value \"old\" for flag -initial-cluster-state: invalid value \"old\"",
        "--feature-gates=No=true | invalid value \"No=true\" for flag -feature-gates: unrecognized feature gate: No",
        "--listen-peer-urls=localhost:1 | URL scheme must be http, https, unix, or unixs: localhost:1",
        "--listen-peer-urls=http://localhost | URL address does not have the form \"host:port\": http://localhost",
        "--listen-peer-urls=http://localhost:1/x | URL must not contain a path: http://localhost:1/x",
        "--listen-peer-urls=ftp://localhost:1 | URL scheme must be http, https, unix, or unixs: ftp://localhost:1",
      })
  void what_cannot_be_understood_shows_the_usage_and_exits_with_2(String argument, String message) {
    Parsed parsed = parse(Map.of(), argument.split(" "));
    assertThat(parsed).isInstanceOfSatisfying(
        Parsed.Print.class,
        print -> {
          assertThat(print.exitCode()).isEqualTo(2);
          assertThat(print.err()).contains(message + "\n").contains("Usage:\n");
          assertThat(print.out()).isEmpty();
        });
  }

  @Test
  void help_prints_every_documented_flag_and_exits_with_0() {
    for (String help : List.of("-h", "--help", "-help")) {
      assertThat(parse(Map.of(), help)).isInstanceOfSatisfying(
          Parsed.Print.class,
          print -> {
            assertThat(print.exitCode()).isZero();
            assertThat(print.out()).contains("Member:\n  --name 'default'\n").contains("--initial-cluster-token 'etcd-cluster'").doesNotContain("experimental");
          });
    }
  }

  @Test
  void version_prints_four_lines_of_etcd_then_ours() {
    assertThat(parse(Map.of(), "--version")).isInstanceOfSatisfying(
        Parsed.Print.class,
        print -> {
          assertThat(print.exitCode()).isZero();
          assertThat(print.out().lines().map(line -> line.split(": ")[0])).containsExactly("etcd Version", "Git SHA", "Go Version", "Go OS/Arch", "Kvorum Version");
          assertThat(print.out()).startsWith("etcd Version: 3.6.16\n");
        });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--listen-client-urls=http://127.0.0.1:1 | --advertise-client-urls is required when --listen-client-urls is set explicitly",
        "positional | \"positional\" is not a valid flag",
        "--listen-peer-urls=http://example.com:1 | expected IP in URL for binding (http://example.com:1)",
        "--listen-peer-urls=http://:2380 | expected IP in URL for binding (http://:2380)",
        "--initial-advertise-peer-urls=http://:2380 | must be \"host:port\"",
        "--heartbeat-interval=0 | --heartbeat-interval must be >0 (set to 0ms)",
        "--election-timeout=0 | --election-timeout must be >0 (set to 0ms)",
        "--heartbeat-interval=300 | --election-timeout[1000ms] should be at least as 5 times as --heartbeat-interval[300ms]",
        "--election-timeout=60000 | --election-timeout[60000ms] is too long, and should be set less than 50000ms",
        "--auto-compaction-mode=often | unknown auto-compaction-mode \"often\"",
        "--auto-compaction-retention=x | error parsing CompactionRetention",
        "--compact-hash-check-time=0s | --compact-hash-check-time must be >0 (set to 0s)",
        "--tls-min-version=TLS1.3 --tls-max-version=TLS1.2 | min version (TLS1.3) is greater than max version (TLS1.2)",
        "--experimental-corrupt-check-time=1s --corrupt-check-time=1s | cannot set --experimental-corrupt-check-time and --corrupt-check-time at the same time",
        "--experimental-initial-corrupt-check --feature-gates=InitialCorruptCheck=true | cannot specify both flags: --experimental-initial-corrupt-check=true",
        "--feature-gates=LeaseCheckpointPersist=true | enabling feature gate LeaseCheckpointPersist requires enabling feature gate LeaseCheckpoint",
        "--initial-cluster=a=http://h:1,b=http://h:1 | has duplicate url",
        "--initial-cluster=a=nonsense | error setting up initial cluster: URL scheme must be",
        "--log-level=loud | unrecognized level: \"loud\"",
        "--log-format=xml | unknown log format: xml",
        "--cert-file=c.pem | KeyFile and CertFile must both be present[key: , cert: c.pem]",
        "--peer-key-file=k.pem | KeyFile and CertFile must both be present[key: k.pem, cert: ]",
        "--cert-file=c --key-file=k --client-cert-file=x | ClientKeyFile and ClientCertFile must both be present or both absent",
        "--listen-client-urls=https://127.0.0.1:1 --advertise-client-urls=https://127.0.0.1:1 | TLS key/cert (--cert-file, --key-file) must be provided for client url https://127.0.0.1:1 with HTTPS scheme",
        "--listen-metrics-urls=https://127.0.0.1:1 | must be provided for client url",
        "--listen-peer-urls=https://127.0.0.1:1 | cannot listen on TLS for 127.0.0.1:1: KeyFile and CertFile are not presented",
        "--listen-peer-urls=https://127.0.0.1:1 --peer-auto-tls --self-signed-cert-validity=0 | selfSignedCertValidity is invalid,it should be greater than 0",
        "--peer-cert-allowed-cn=a --peer-cert-allowed-hostname=b | AllowedCNs and AllowedHostnames are mutually exclusive",
        "--tls-min-version=TLS1.1 | unexpected TLS version \"TLS1.1\". Must be one of: TLS1.2, TLS1.3",
        "--tls-min-version=TLS1.3 --tls-max-version=TLS1.2 | min version (TLS1.3) is greater than max version (TLS1.2)",
        "--tls-min-version=TLS1.3 --cipher-suites=TLS_X | cipher suites cannot be configured when only TLS1.3 is enabled",
        "--listen-peer-urls=unix://localhost:1 --initial-advertise-peer-urls=http://a:1 --initial-cluster=default=http://a:1 | members do not talk over unix sockets",
        "--auth-token=jws | auth: invalid auth options",
        "--discovery=http://x | --discovery is not supported yet",
      })
  void what_must_not_start_is_refused_with_etcds_words(String arguments, String message) {
    assertThat(refusal(parse(Map.of(), arguments.split(" ")))).contains(message);
  }

  @Test
  void the_environment_sets_what_no_flag_sets() {
    Parsed parsed = parse(Map.of("ETCD_NAME", "e", "ETCD_DATA_DIR", "", "ETCD_ELECTION_TIMEOUT", "2000", "ETCD_FORCE_NEW_CLUSTER", "true"), "--snapshot-count=7");
    ServerConfig config = serve(parsed);
    assertThat(config.name()).isEqualTo("e");
    assertThat(config.dataDir()).hasToString("e.etcd");
    assertThat(config.limits().electionMillis()).isEqualTo(2000);
    assertThat(config.cluster().forceNew()).isTrue();
    assertThat(config.maintenance().keepEntries()).isEqualTo(7);
    assertThat(events(parsed)).contains("recognized and used environment variable");
  }

  @Test
  void a_variable_that_a_flag_shadows_is_fatal() {
    assertThat(refusal(parse(Map.of("ETCD_NAME", "e"), "--name=f")))
        .contains("conflicting environment variable is shadowed by corresponding command-line flag")
        .contains("ETCD_NAME");
  }

  @Test
  void unknown_variables_only_warn_and_the_version_is_dropped() {
    Parsed parsed = parse(Map.of("ETCD_ROOT_PASSWORD", "x", "ETCD_VERSION", "3", "OTHER", "y"));
    assertThat(events(parsed)).contains("unrecognized environment variable", "cannot set special environment variable");
    assertThat(((Parsed.Serve) parsed).notices()).noneMatch(notice -> notice.keysAndValues().toString().contains("OTHER"));
  }

  @Test
  void a_variable_with_a_bad_value_is_refused() {
    assertThat(refusal(parse(Map.of("ETCD_SNAPSHOT_COUNT", "many")))).contains("invalid value \"many\" for ETCD_SNAPSHOT_COUNT: parse error");
  }

  @Test
  void the_initial_cluster_follows_the_name_and_the_advertised_peer_urls() {
    assertThat(serve("--name=a", "--initial-advertise-peer-urls=http://h:2,http://h:1").cluster().initial())
        .containsExactly(Map.entry("a", List.of("http://h:1", "http://h:2")));
    assertThat(serve("--name=a", "--initial-cluster=b=http://h:2,a=http://h:3,a=http://h:1").cluster().initial())
        .isEqualTo(new TreeMap<>(Map.of("a", List.of("http://h:1", "http://h:3"), "b", List.of("http://h:2"))));
  }

  @Test
  void deprecated_names_count_and_are_warned_about() {
    Parsed parsed = parse(Map.of(), "--experimental-watch-progress-notify-interval=5s", "--experimental-initial-corrupt-check", "--vv");
    assertThat(serve(parsed).limits().watchProgressMillis()).isEqualTo(5000);
    assertThat(serve(parsed).featureGates()).containsEntry("InitialCorruptCheck", true);
    assertThat(events(parsed)).anyMatch(event -> event.startsWith("--experimental-watch-progress-notify-interval is deprecated"));
  }

  @ParameterizedTest
  @CsvSource({
    "periodic,2,7200000000000",
    "periodic,5m,300000000000",
    "revision,1000,1000",
    "periodic,0,0",
  })
  void retention_of_auto_compaction(String mode, String retention, long expected) {
    ServerConfig config = serve("--auto-compaction-mode=" + mode, "--auto-compaction-retention=" + retention);
    assertThat(config.maintenance().autoCompactionRetention()).isEqualTo(expected);
    assertThat(config.maintenance().autoCompactionRevisions()).isEqualTo(mode.equals("revision"));
  }

  @ParameterizedTest
  @CsvSource({"0,2147483648", "-1,-1", "53248,53248"})
  void quota(String given, long expected) {
    assertThat(serve("--quota-backend-bytes=" + given).limits().quotaBytes()).isEqualTo(expected);
  }

  @Test
  void a_listener_on_all_addresses_advertises_this_machine() {
    ServerConfig config = serve("--listen-peer-urls=http://0.0.0.0:9", "--name=a");
    assertThat(config.cluster().advertisePeerUrls()).hasSize(1).allMatch(url -> url.endsWith(":9") && !url.contains("0.0.0.0"));
    assertThat(config.cluster().initial().get("a")).isEqualTo(config.cluster().advertisePeerUrls());
  }

  @Test
  void a_configuration_file_replaces_flags_and_environment() {
    ServerConfig config =
        serve(
            parseYaml(
                """
                name: m1
                data-dir: /d
                listen-client-urls: http://127.0.0.1:1,http://127.0.0.1:2
                advertise-client-urls: http://127.0.0.1:1
                heartbeat-interval: 50
                watch-progress-notify-interval: 5000000000
                log-outputs: [stdout]
                feature-gates: CompactHashCheck=true
                experimental-snapshot-catch-up-entries: 9
                client-transport-security:
                  cert-file: ""
                  client-cert-auth: false
                unknown-key: 1
                """,
                "--name=ignored"));
    assertThat(config.name()).isEqualTo("m1");
    assertThat(config.listen().clientUrls()).containsExactly("http://127.0.0.1:1", "http://127.0.0.1:2");
    assertThat(config.limits().heartbeatMillis()).isEqualTo(50);
    assertThat(config.limits().watchProgressMillis()).isEqualTo(5000);
    assertThat(config.log().outputs()).containsExactly("stdout");
    assertThat(config.featureGates()).containsEntry("CompactHashCheck", true);
  }

  @Test
  void tls_in_a_configuration_file() {
    TlsSettings peer =
        serve(parseYaml("peer-transport-security:\n  cert-file: a\n  key-file: b\n  trusted-ca-file: c\n  client-cert-auth: true\n  allowed-cn: [x, y]\n")).security().peer();
    assertThat(peer.certFile()).isEqualTo("a");
    assertThat(peer.keyFile()).isEqualTo("b");
    assertThat(peer.trustedCaFile()).isEqualTo("c");
    assertThat(peer.clientCertAuth()).isTrue();
    assertThat(peer.allowedNames()).containsExactly("x", "y");
    TlsSettings client = serve(parseYaml("client-transport-security:\n  auto-tls: true\n")).security().client();
    assertThat(client.auto()).isTrue();
    assertThat(client.skipSanVerification()).isTrue();
  }

  @Test
  void certificates_beside_plain_urls_are_warned_about() {
    assertThat(events(parse(Map.of(), "--cert-file=c", "--key-file=k", "--client-cert-auth")))
        .contains(
            "scheme is http or unix while key and cert files are present; ignoring key and cert files",
            "scheme is http or unix while --client-cert-auth is enabled; ignoring client cert auth for this URL");
    assertThat(events(parse(Map.of(), "--cert-file=c", "--key-file=k", "--auto-tls"))).contains("ignoring client auto TLS since certs given");
  }

  @Test
  void a_missing_or_broken_configuration_file_is_refused() {
    assertThat(refusal(parse(Map.of("ETCD_CONFIG_FILE", "no.yml")))).contains("open no.yml: no such file or directory");
    assertThat(refusal(parseYaml("a: [1"))).contains("error converting YAML to JSON");
    assertThat(refusal(parseYaml("- a"))).contains("not a mapping");
    assertThat(refusal(parseYaml("snapshot-count: many"))).contains("invalid value \"many\" for snapshot-count");
  }

  @Test
  void every_default_fits_its_own_flag_and_every_flag_has_its_variable() {
    Map<String, String> seen = new LinkedHashMap<>();
    for (Flag flag : FlagTable.etcd36().all().values()) {
      if (flag.kind() != Flag.Kind.IGNORED) {
        new FlagValues(FlagTable.etcd36()).set(flag, flag.defaultValue());
      }
      assertThat(seen.put(flag.environment(), flag.name())).as(flag.name()).isNull();
      assertThat(flag.environment()).matches("ETCD_[A-Z0-9_.]+");
    }
    assertThat(seen).hasSizeGreaterThan(140);
  }
}
