package io.kvorum.server.agent.dns;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.dns.AbstractDnsOptPseudoRrRecord;
import io.netty.handler.codec.dns.DefaultDnsRawRecord;
import io.netty.handler.codec.dns.DnsOpCode;
import io.netty.handler.codec.dns.DnsQuery;
import io.netty.handler.codec.dns.DnsQuestion;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponse;
import io.netty.handler.codec.dns.DnsResponseCode;
import io.netty.handler.codec.dns.DnsSection;
import java.util.List;

/** Makes the response to one query: what it asks, by the zone, and how much of that fits. */
final class Responder {
  /** What a message over TCP may have. */
  static final int TCP_BYTES_MAX = 65_535;

  /** Of a datagram, for those who say nothing of their own. */
  private static final int DATAGRAM_BYTES = 512;

  /** Of a datagram, whatever the client would take: loopback fragments nothing, but a longer answer is a matter of TCP. */
  private static final int DATAGRAM_BYTES_MAX = 4_096;

  /** What we say that we take. */
  private static final int OWN_DATAGRAM_BYTES = 1_232;

  private static final int HEADER_BYTES = 12;
  private static final int QUESTION_FIXED_BYTES = 4;
  private static final int OPT_BYTES = 11;
  private static final int CLASS_ANY = 255;
  private static final int CODE_BITS = 4;
  private static final int CODE_MASK = 15;
  private static final int TYPE_OPT = 41;
  private static final int TYPE_TRANSFER_MIN = 251;
  private static final int TYPE_TRANSFER_MAX = 254;
  private static final int VERSION_SHIFT = 16;
  private static final int VERSION_MASK = 255;

  private final Zone zone;
  private final DnsMeter meter;

  Responder(Zone zone, DnsMeter meter) {
    this.zone = zone;
    this.meter = meter;
  }

  /** What EDNS adds to a response. */
  private static final class Edns extends AbstractDnsOptPseudoRrRecord {
    Edns(int extendedCode) {
      super(OWN_DATAGRAM_BYTES, extendedCode, 0);
    }
  }

  /**
   * Fills a response whose id and operation are those of the query.
   *
   * @param tcp whether it goes over TCP
   */
  void respond(DnsQuery query, DnsResponse response, boolean tcp) {
    DnsRecord edns = edns(query);
    int limit = tcp ? TCP_BYTES_MAX : edns == null ? DATAGRAM_BYTES : Math.clamp(edns.dnsClass(), DATAGRAM_BYTES, DATAGRAM_BYTES_MAX);
    DnsQuestion question = query.count(DnsSection.QUESTION) == 1 ? query.recordAt(DnsSection.QUESTION) : null;
    int room = limit - HEADER_BYTES - (edns == null ? 0 : OPT_BYTES);
    Answer answer;
    if (question == null) {
      answer = Answer.failure(query.opCode().equals(DnsOpCode.QUERY) ? Answer.FORMAT_ERROR : Answer.NOT_IMPLEMENTED);
    } else {
      response.addRecord(DnsSection.QUESTION, question);
      answer = answer(query, question, edns).fitting(room - question.name().length() - 1 - QUESTION_FIXED_BYTES);
    }
    response.setRecursionDesired(query.isRecursionDesired());
    response.setAuthoritativeAnswer(answer.authoritative());
    response.setTruncated(answer.truncated());
    response.setCode(DnsResponseCode.valueOf(answer.code() & CODE_MASK));
    add(response, DnsSection.ANSWER, answer.answers());
    add(response, DnsSection.AUTHORITY, answer.authority());
    add(response, DnsSection.ADDITIONAL, answer.additional());
    if (edns != null) {
      response.addRecord(DnsSection.ADDITIONAL, new Edns(answer.code() >> CODE_BITS));
    }
    meter.answered(question == null ? 0 : question.type().intValue(), answer.code(), answer.truncated());
  }

  private Answer answer(DnsQuery query, DnsQuestion question, DnsRecord edns) {
    int type = question.type().intValue();
    if (!query.opCode().equals(DnsOpCode.QUERY)) {
      return Answer.failure(Answer.NOT_IMPLEMENTED);
    }
    if (edns != null && (edns.timeToLive() >> VERSION_SHIFT & VERSION_MASK) != 0) {
      return Answer.failure(Answer.BAD_VERSION);
    }
    boolean internet = question.dnsClass() == DnsRecord.CLASS_IN || question.dnsClass() == CLASS_ANY;
    if (!internet || type == TYPE_OPT || (type >= TYPE_TRANSFER_MIN && type <= TYPE_TRANSFER_MAX)) {
      return Answer.failure(Answer.REFUSED);
    }
    return zone.answer(question.name(), type);
  }

  private static DnsRecord edns(DnsQuery query) {
    for (int i = 0; i < query.count(DnsSection.ADDITIONAL); i++) {
      DnsRecord record = query.recordAt(DnsSection.ADDITIONAL, i);
      if (record.type().equals(DnsRecordType.OPT)) {
        return record;
      }
    }
    return null;
  }

  private static void add(DnsResponse response, DnsSection section, List<Resource> resources) {
    for (Resource resource : resources) {
      response.addRecord(
          section, new DefaultDnsRawRecord(resource.owner(), DnsRecordType.valueOf(resource.type()), Resource.TTL_SECONDS, Unpooled.wrappedBuffer(resource.data())));
    }
  }
}
