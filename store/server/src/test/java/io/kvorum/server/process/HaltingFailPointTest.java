package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class HaltingFailPointTest {
  private final AtomicInteger halts = new AtomicInteger();

  @Test
  void haltsAtTheNamedBoundaryOnly() {
    HaltingFailPoint point = HaltingFailPoint.of("raft.log.after-sync:2", halts::incrementAndGet);
    point.reached("raft.log.before-sync");
    point.reached("raft.log.after-sync");
    assertThat(halts).hasValue(0);
    point.reached("raft.log.after-sync");
    assertThat(halts).hasValue(1);
    point.reached("raft.log.after-sync");
    assertThat(halts).hasValue(1);
  }

  @Test
  void withoutAValueItNeverHalts() {
    HaltingFailPoint.of(null, halts::incrementAndGet).reached("x");
    HaltingFailPoint.of("", halts::incrementAndGet).reached("x");
    assertThat(halts).hasValue(0);
    HaltingFailPoint.of("x", halts::incrementAndGet).reached("x");
    assertThat(halts).hasValue(1);
  }

  @Test
  void refusesNonsense() {
    assertThatThrownBy(() -> HaltingFailPoint.of("x:0")).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> HaltingFailPoint.of("x:y")).hasMessage("KVORUM_FAIL_POINT is name:count, not x:y");
    assertThatThrownBy(() -> HaltingFailPoint.of(":1")).isInstanceOf(IllegalArgumentException.class);
  }
}
