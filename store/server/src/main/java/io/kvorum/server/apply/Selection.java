package io.kvorum.server.apply;

import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.RangeResult;
import io.kvorum.mvcc.Record;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest.SortOrder;
import io.kvorum.protocol.etcdserverpb.RangeRequest.SortTarget;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * What a range request selects: by key at a revision, then by the four revision filters, then sorted, then cut to the limit. The count is that of the key range
 * alone, whatever filters and limit say.
 *
 * <p>One quirk is kept: with sort order NONE and a target other than KEY only the first limit + 1 keys, by key, are sorted and cut.
 *
 * @param records valid as long as what they were read from
 * @param count live keys in the key range at the revision
 * @param more whether the limit cut something off
 */
public record Selection(List<Record> records, long count, boolean more) {
  /**
   * @throws io.kvorum.mvcc.RevisionException if the request's revision is compacted or not there yet
   */
  public static Selection of(KeyReader reader, RangeRequest request) {
    byte[] key = request.getKey().toByteArray();
    byte[] end = request.getRangeEnd().toByteArray();
    long limit = Math.max(0, request.getLimit());
    boolean filtered = isFiltered(request);
    boolean byKey = request.getSortTarget() == SortTarget.KEY && request.getSortOrder() != SortOrder.DESCEND;
    if (request.getCountOnly()) {
      RangeResult counted = reader.range(new RangeQuery(key, end, request.getRevision(), 0, true));
      return new Selection(List.of(), counted.count(), false);
    }
    if (byKey && !filtered) {
      RangeResult result = reader.range(new RangeQuery(key, end, request.getRevision(), limit, false));
      return new Selection(result.records(), result.count(), result.more());
    }
    boolean cutFirst = request.getSortOrder() == SortOrder.NONE && !filtered && limit > 0 && limit < Long.MAX_VALUE;
    RangeResult result = reader.range(new RangeQuery(key, end, request.getRevision(), cutFirst ? limit + 1 : 0, false));
    List<Record> records = filtered ? filter(result.records(), request) : result.records();
    if (!byKey) {
      records = sort(records, request.getSortTarget(), request.getSortOrder() == SortOrder.DESCEND);
    }
    boolean more = limit > 0 && records.size() > limit;
    return new Selection(more ? records.subList(0, (int) limit) : records, result.count(), more);
  }

  private static boolean isFiltered(RangeRequest request) {
    return request.getMinModRevision() != 0
        || request.getMaxModRevision() != 0
        || request.getMinCreateRevision() != 0
        || request.getMaxCreateRevision() != 0;
  }

  private static List<Record> filter(List<Record> records, RangeRequest request) {
    List<Record> kept = new ArrayList<>();
    for (Record record : records) {
      if (within(record.modRevision(), request.getMinModRevision(), request.getMaxModRevision())
          && within(record.createRevision(), request.getMinCreateRevision(), request.getMaxCreateRevision())) {
        kept.add(record);
      }
    }
    return kept;
  }

  /** Bounds are inclusive; 0 is no bound. */
  private static boolean within(long revision, long min, long max) {
    return (min == 0 || revision >= min) && (max == 0 || revision <= max);
  }

  /** Equal ones stay in key order, ascending or descending alike. */
  private static List<Record> sort(List<Record> records, SortTarget target, boolean descending) {
    return switch (target) {
      case KEY, UNRECOGNIZED -> descending ? records.reversed() : records;
      case VERSION -> sorted(records, Comparator.comparingLong(Record::version), descending);
      case CREATE -> sorted(records, Comparator.comparingLong(Record::createRevision), descending);
      case MOD -> sorted(records, Comparator.comparingLong(Record::modRevision), descending);
      case VALUE -> byValue(records, descending);
    };
  }

  private static List<Record> sorted(List<Record> records, Comparator<Record> ascending, boolean descending) {
    List<Record> sorted = new ArrayList<>(records);
    sorted.sort(descending ? ascending.reversed() : ascending);
    return sorted;
  }

  private static List<Record> byValue(List<Record> records, boolean descending) {
    record Valued(Record record, byte[] value) {}
    Comparator<Valued> ascending = (a, b) -> Arrays.compareUnsigned(a.value, b.value);
    return records.stream().map(record -> new Valued(record, record.value())).sorted(descending ? ascending.reversed() : ascending).map(Valued::record).toList();
  }

  /** The response without a header: pairs decoded, values blanked if only keys were asked for. */
  public RangeResponse.Builder toResponse(boolean keysOnly) {
    RangeResponse.Builder response = RangeResponse.newBuilder().setCount(count).setMore(more);
    for (Record record : records) {
      response.addKvs(keysOnly ? Pairs.withoutValue(record) : Pairs.of(record));
    }
    return response;
  }
}
