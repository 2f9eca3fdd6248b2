package io.kvorum.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MetricsTextTest {
  @Test
  void samples_of_one_name_stay_together_under_one_head() {
    MetricsText text =
        new MetricsText().gauge("a", "About a.", "x=\"1\"", 2).counter("b", "About b.", 0.5).gauge("a", "About a.", "x=\"2\"", 1_234_567_890_123.0);
    assertThat(text.toString())
        .isEqualTo(
            """
            # HELP a About a.
            # TYPE a gauge
            a{x="1"} 2
            a{x="2"} 1234567890123
            # HELP b About b.
            # TYPE b counter
            b 0.5
            """);
  }

  @Test
  void a_histogram_counts_up_to_each_bound() {
    Histogram histogram = new Histogram(0.001, 3);
    histogram.record(1_000_000);
    histogram.record(1_000_001);
    histogram.record(3_000_000);
    histogram.record(9_000_000_000L);
    assertThat(new MetricsText().histogram("h", "About h.", histogram).toString())
        .isEqualTo(
            """
            # HELP h About h.
            # TYPE h histogram
            h_bucket{le="0.001"} 1
            h_bucket{le="0.002"} 2
            h_bucket{le="0.004"} 3
            h_bucket{le="+Inf"} 4
            h_sum 9.005000001
            h_count 4
            """);
  }
}
