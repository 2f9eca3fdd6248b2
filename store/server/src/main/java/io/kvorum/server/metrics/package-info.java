/** What a member counts and measures, and the text of {@code /metrics}. Knows nothing of what is measured: the parts count for themselves and are {@link MetricSource}s. */
package io.kvorum.server.metrics;
