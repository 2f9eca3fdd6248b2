package io.kvorum.operator.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class InjectionSpecTest {
  private static final InjectionSpec SPEC =
      new InjectionSpec(null, List.of(new InjectionSpec.Allowed("web", List.of("shop/web/", "cache")), new InjectionSpec.Allowed("look", null)));

  @Test
  void theOwnNamespaceMayDeclareAnything() {
    assertThat(InjectionSpec.DEFAULTS.admits("db", "db")).isTrue();
    assertThat(InjectionSpec.DEFAULTS.allows("db", "db", "/")).isTrue();
    assertThat(InjectionSpec.DEFAULTS.admits("db", "web")).isFalse();
    assertThat(InjectionSpec.DEFAULTS.allows("db", "web", "x")).isFalse();
  }

  @Test
  void anotherNamespaceMayDeclareWhatIsListedAndNothingShorter() {
    assertThat(SPEC.allows("db", "web", "shop/web/")).isTrue();
    assertThat(SPEC.allows("db", "web", "shop/web/cart/")).isTrue();
    assertThat(SPEC.allows("db", "web", "cache/a")).isTrue();
    assertThat(SPEC.allows("db", "web", "shop/")).isFalse();
    assertThat(SPEC.allows("db", "web", "")).isFalse();
    assertThat(SPEC.allows("db", "look", "shop/web/")).isFalse();
    assertThat(SPEC.admits("db", "look")).isTrue();
  }

  @Test
  void switchedOffNobodyMay() {
    InjectionSpec off = new InjectionSpec(false, SPEC.namespaces());

    assertThat(off.admits("db", "db")).isFalse();
    assertThat(off.allows("db", "db", "a")).isFalse();
    assertThat(off.allows("db", "web", "cache")).isFalse();
  }
}
