package io.kvorum.server.kv;

import io.kvorum.server.metrics.MetricsText;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;

/**
 * Calls by the version that their clients say they speak. There are few versions, so they are found by comparing bytes, without making a text of each call's header; beyond
 * {@value #VERSIONS_MAX} they are counted together.
 */
final class ApiVersions {
  static final int VERSIONS_MAX = 32;

  private final Counts unknown = new Counts(new byte[0], "unknown");
  private final Counts others = new Counts(new byte[0], "other");
  private final List<Counts> known = new CopyOnWriteArrayList<>();

  /** Calls of one version. */
  static final class Counts {
    private final byte[] header;
    private final String text;
    private final LongAdder unary = new LongAdder();
    private final LongAdder streams = new LongAdder();

    private Counts(byte[] header, String text) {
      this.header = header;
      this.text = text;
    }

    void add(boolean isUnary) {
      (isUnary ? unary : streams).increment();
    }

    private void collect(MetricsText out) {
      collect(out, "unary", unary.sum());
      collect(out, "stream", streams.sum());
    }

    private void collect(MetricsText out, String type, long count) {
      if (count > 0) {
        String labels = MetricsText.labels("client_api_version", text, "type", type);
        out.counter("etcd_server_client_requests_total", "The total number of client requests per client version.", labels, count);
      }
    }
  }

  /**
   * The counts of a version.
   *
   * @param header null for a client that does not say
   * @return null when the header is not UTF-8
   */
  Counts of(byte[] header) {
    if (header == null) {
      return unknown;
    }
    Counts found = find(header);
    if (found != null) {
      return found;
    }
    String text = text(header);
    return text == null ? null : learn(header, text);
  }

  private Counts find(byte[] header) {
    for (Counts counts : known) {
      if (Arrays.equals(counts.header, header)) {
        return counts;
      }
    }
    return null;
  }

  private synchronized Counts learn(byte[] header, String text) {
    Counts found = find(header);
    if (found == null) {
      if (known.size() >= VERSIONS_MAX) {
        return others;
      }
      found = new Counts(header.clone(), text);
      known.add(found);
    }
    return found;
  }

  private static String text(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException broken) {
      return null;
    }
  }

  void collect(MetricsText out) {
    unknown.collect(out);
    others.collect(out);
    known.forEach(counts -> counts.collect(out));
  }
}
