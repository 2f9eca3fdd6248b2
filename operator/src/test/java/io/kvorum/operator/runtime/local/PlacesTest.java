package io.kvorum.operator.runtime.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.operator.api.TlsSpec;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PlacesTest {
  @Test
  void the_first_three_members_are_at_the_customary_ports_and_no_two_slots_share_one() {
    Places places = new Places(Path.of("x"), 2379, TlsSpec.DEFAULTS);
    assertThat(IntStream.range(0, 3).map(places::clientPort)).containsExactly(2379, 22379, 32379);
    assertThat(IntStream.range(0, Places.SLOTS).flatMap(slot -> IntStream.of(places.clientPort(slot), places.clientPort(slot) + 1, places.clientPort(slot) + 2)))
        .doesNotHaveDuplicates();
    Places highest = new Places(Path.of("x"), Places.MAX_BASE_PORT, TlsSpec.DEFAULTS);
    assertThat(IntStream.range(0, Places.SLOTS).map(slot -> highest.clientPort(slot) + 2)).allMatch(port -> port <= 65_535);
  }

  @Test
  void a_member_keeps_its_slot_and_a_freed_one_is_given_out_again() {
    SortedMap<String, Integer> slots = Places.withSlot(Places.withSlot(new TreeMap<>(), "a-0"), "a-1");
    assertThat(Places.withSlot(slots, "a-1")).isEqualTo(slots);
    slots = new TreeMap<>(slots);
    slots.remove("a-0");
    assertThat(Places.withSlot(slots, "a-2")).containsEntry("a-2", 0).containsEntry("a-1", 1);
  }

  @Test
  void more_members_than_slots_are_refused() {
    SortedMap<String, Integer> slots = new TreeMap<>();
    for (int i = 0; i < Places.SLOTS; i++) {
      slots = Places.withSlot(slots, "a-" + i);
    }
    SortedMap<String, Integer> full = slots;
    assertThatThrownBy(() -> Places.withSlot(full, "one-more")).isInstanceOf(IllegalStateException.class).hasMessageContaining("10 places");
  }
}
