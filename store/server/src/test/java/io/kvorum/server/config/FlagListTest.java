package io.kvorum.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Our flags beside etcd's. */
class FlagListTest {
  private static final FlagTable TABLE = FlagTable.etcd36();

  /** The help shows something else than a value, or the value depends on others. */
  private static final List<String> DEFAULT_IN_WORDS = List.of("data-dir", "max-concurrent-streams", "backend-batch-interval");

  private static Map<String, String> list() throws IOException {
    Map<String, String> list = new TreeMap<>();
    try (var in = FlagListTest.class.getResourceAsStream("etcd-flags.txt")) {
      new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .forEach(line -> list.put(line.split(" ", 2)[0], line.contains(" ") ? line.split(" ", 2)[1] : null));
    }
    return list;
  }

  private static Parsed parse(Map<String, String> environment, String... arguments) {
    ConfigParser.FileReader noFiles =
        file -> {
          throw new NoSuchFileException(file.toString());
        };
    return new ConfigParser(TABLE, noFiles).parse(List.of(arguments), environment);
  }

  /** A value that fits the flag and is not its default, as far as possible without being refused for another reason. */
  private static String other(Flag flag) {
    return switch (flag.kind()) {
      case BOOL -> "true";
      case INT, UINT, UINT32 -> "1200";
      case DURATION -> "7s";
      default -> flag.defaultValue().isEmpty() ? "x" : flag.defaultValue();
    };
  }

  @Test
  void every_flag_of_etcd_is_known() throws IOException {
    assertThat(list().keySet()).hasSizeGreaterThan(130).allMatch(name -> TABLE.get(name) != null);
  }

  @Test
  void defaults_are_those_of_etcds_help() throws IOException {
    list()
        .forEach(
            (name, expected) -> {
              Flag flag = TABLE.get(name);
              if (expected == null || DEFAULT_IN_WORDS.contains(name)) {
                return;
              }
              if (flag.kind() == Flag.Kind.DURATION) {
                assertThat(GoSyntax.duration(flag.defaultValue())).as(name).isEqualTo(GoSyntax.duration(expected));
              } else {
                assertThat(flag.defaultValue()).as(name).isEqualTo(expected);
              }
            });
  }

  @Test
  void a_flag_that_cannot_be_honoured_refuses_the_start_and_every_other_is_taken_in_all_three_ways() throws IOException {
    for (String name : list().keySet()) {
      Flag flag = TABLE.get(name);
      if (flag.effect() == Flag.Effect.ACTIVE) {
        continue;
      }
      String value = other(flag);
      List<Parsed> ways =
          List.of(
              parse(Map.of(), "--" + name + "=" + value),
              parse(Map.of(flag.environment(), value)),
              new ConfigParser(TABLE, file -> name + ": \"" + value + "\"").parse(List.of("--config-file=x"), Map.of()));
      for (Parsed parsed : ways) {
        if (flag.effect() == Flag.Effect.NO_EFFECT) {
          assertThat(parsed).as(name).isInstanceOf(Parsed.Serve.class);
        } else {
          assertThat(parsed).as(name).isInstanceOf(Parsed.Refused.class);
          assertThat(((Parsed.Refused) parsed).refusal().keysAndValues().toString()).as(name).contains("--" + name + " is not supported yet");
        }
      }
    }
  }

  @Test
  void a_flag_without_effect_is_named_in_the_description_of_the_store() throws IOException {
    String readme = Files.readString(Path.of("../README.md"));
    for (Flag flag : TABLE.all().values()) {
      if (flag.effect() != Flag.Effect.ACTIVE && flag.kind() != Flag.Kind.IGNORED && flag.replacement() == null) {
        assertThat(readme).contains("`" + flag.name() + "`");
      }
    }
  }

  @Test
  void rotation_needs_one_file_and_well_formed_options() {
    assertThat(refusal("--enable-log-rotation")).contains("--log-outputs requires a single file path when --log-rotate-config-json is defined");
    assertThat(refusal("--enable-log-rotation", "--log-outputs=a.log,b.log")).contains("requires a single file path");
    assertThat(refusal("--enable-log-rotation", "--log-outputs=a.log", "--log-rotation-config-json={")).contains("improperly formatted log rotation config");
    assertThat(refusal("--enable-log-rotation", "--log-outputs=a.log", "--log-rotation-config-json={\"maxsize\": \"x\"}"))
        .contains("invalid log rotation config: json: cannot unmarshal string into Go struct field logRotationConfig.Logger.maxsize of type int");
    Parsed parsed = parse(Map.of(), "--enable-log-rotation", "--log-outputs=stderr,a.log", "--log-rotation-config-json={\"maxage\": 3, \"compress\": true}");
    var rotation = ((Parsed.Serve) parsed).config().log().rotation();
    assertThat(rotation.maxBytes()).isEqualTo(100 << 20);
    assertThat(rotation.maxAgeDays()).isEqualTo(3);
    assertThat(rotation.compress()).isTrue();
  }

  private static String refusal(String... arguments) {
    Parsed parsed = parse(Map.of(), arguments);
    assertThat(parsed).isInstanceOf(Parsed.Refused.class);
    return ((Parsed.Refused) parsed).refusal().keysAndValues().toString();
  }

  @Test
  void sections_of_the_configuration_file_set_flags() {
    String yaml = "socket-options:\n  reuse-port: true\n  reuse-address: true\n";
    Parsed parsed = new ConfigParser(TABLE, file -> yaml).parse(List.of("--config-file=x"), Map.of());
    assertThat(((Parsed.Serve) parsed).config().listen().reusePort()).isTrue();
    String fallback = "discovery-fallback: 'proxy'\nproxy: 'off'\nproxy-failure-wait: 5000\nversion: true\n";
    assertThat(new ConfigParser(TABLE, file -> fallback).parse(List.of("--config-file=x"), Map.of())).isInstanceOf(Parsed.Serve.class);
    String discovery = "discovery-config:\n  token: t\n  client:\n    endpoints: [\"http://x:1\"]\n";
    assertThat(new ConfigParser(TABLE, file -> discovery).parse(List.of("--config-file=x"), Map.of())).isInstanceOf(Parsed.Refused.class);
  }
}
