package io.kvorum.operator.workload;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.kvorum.operator.api.InjectionSpec;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import io.kvorum.operator.workload.Permission.Access;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerdictTest {
  private static final InjectionSpec SPEC =
      new InjectionSpec(true, List.of(new InjectionSpec.Allowed("web", List.of("web/", "services/web/")), new InjectionSpec.Allowed("look", null)));

  @ParameterizedTest(name = "in {0} the prefixes \"{1}\" and the service \"{2}\": {3}")
  @CsvSource(
      delimiter = ';',
      value = {
        "db; a/,b; ''; 'READ [services/, services0) READWRITE [a/, a0) READWRITE [b, c)'",
        "db; ''; ''; 'READ [services/, services0)'",
        "db; ''; cart; 'READ [services/, services0) READWRITE [services/cart/, services/cart0)'",
        "db; services/; cart; 'READWRITE [services/, services0) READWRITE [services/cart/, services/cart0)'",
        "web; web/x; ''; 'READ [services/, services0) READWRITE [web/x, web/y)'",
        "web; web/; web; 'READ [services/, services0) READWRITE [services/web/, services/web0) READWRITE [web/, web0)'",
        "look; ''; ''; 'READ [services/, services0)'",
        "web; web/,we; ''; spec.injection of db/kv does not allow the prefix we to the namespace web",
        "web; ''; cart; spec.injection of db/kv does not allow the prefix services/cart/ to the namespace web",
        "look; a; ''; spec.injection of db/kv does not allow the prefix a to the namespace look",
        "far; ''; ''; spec.injection of db/kv does not list the namespace far",
        "db; ''; A_b; the service \"A_b\" is not a lower-case label of DNS",
        "db; ''; a/b; the service \"a/b\" is not a lower-case label of DNS"
      })
  void whatADeclarationGets(String namespace, String prefixes, String service, String expected) {
    assertThat(text(Verdict.of(declared(namespace, prefixes, service), SPEC))).isEqualTo(expected);
  }

  @Test
  void nobodyGetsAnythingWhereInjectionIsOffAndTooManyPrefixesAreRefused() {
    assertThat(Verdict.of(declared("db", "a", ""), new InjectionSpec(false, List.of()))).isInstanceOf(Verdict.Refused.class);
    String many = IntStream.rangeClosed(0, Verdict.PREFIXES_MAX).mapToObj(Integer::toString).collect(Collectors.joining(","));
    assertThat(Verdict.of(declared("db", many, ""), SPEC)).isInstanceOf(Verdict.Refused.class);
    assertThat(Verdict.of(declared("db", "x".repeat(Verdict.PREFIX_MAX + 1), ""), SPEC)).isInstanceOf(Verdict.Refused.class);
  }

  @Test
  void aPodWithoutTheLabelDeclaresNothing() {
    assertThat(Declaration.of(new ObjectMeta(), "db")).isEmpty();
    assertThat(Declaration.of(null, "db")).isEmpty();
    assertThat(Declaration.of(new ObjectMetaBuilder().addToLabels(Declaration.INJECT, "").build(), "db")).isEmpty();
  }

  @Test
  void annotationsAreReadWithTheirDefaults() {
    ObjectMeta bare = new ObjectMetaBuilder().addToLabels(Declaration.INJECT, "kv").build();
    assertThat(Declaration.of(bare, "web")).contains(new Declaration("web", new ClusterRef("web", "kv"), Set.of(), ""));
    ObjectMeta full =
        new ObjectMetaBuilder()
            .addToLabels(Declaration.INJECT, "kv")
            .addToAnnotations(
                Map.of(Declaration.INJECT_NAMESPACE, " db ", Declaration.PREFIXES, " a/ ,, b,a/", Declaration.REGISTER, " cart "))
            .build();
    assertThat(Declaration.of(full, "web")).contains(new Declaration("web", new ClusterRef("db", "kv"), Set.of("a/", "b"), "cart"));
  }

  @Test
  void permissionsOfSeveralAreOnePerRange() {
    Set<Permission> both =
        Verdict.union(
            Stream.of(
                Set.of(Permission.prefix("a", Access.READ), Permission.prefix("b", Access.READ)),
                Set.of(Permission.prefix("a", Access.WRITE), Permission.prefix("b", Access.READ))));

    assertThat(both).containsExactlyInAnyOrder(Permission.prefix("a", Access.READWRITE), Permission.prefix("b", Access.READ));
  }

  static Declaration declared(String namespace, String prefixes, String service) {
    Set<String> all = prefixes.isEmpty() ? Set.of() : new TreeSet<>(List.of(prefixes.split(",")));
    return new Declaration(namespace, new ClusterRef("db", "kv"), all, service);
  }

  private static String text(Verdict verdict) {
    return switch (verdict) {
      case Verdict.Granted(Set<Permission> all) -> all.stream().map(Permission::toString).sorted().collect(Collectors.joining(" "));
      case Verdict.Refused(String why) -> why;
    };
  }
}
