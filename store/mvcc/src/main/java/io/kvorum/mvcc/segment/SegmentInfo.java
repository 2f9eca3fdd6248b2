package io.kvorum.mvcc.segment;

/**
 * The durable facts of one sealed segment, as the manifest keeps them.
 *
 * @param content name by content: 32 hex digits of the SHA-256 of its records stream
 * @param number of the local files; never used twice
 * @param count records
 * @param payloadBytes sum of the encodings' lengths
 * @param dataBytes length of the segment file
 * @param sideBytes length of the side file
 * @param sideCrc CRC-32C of the side file, which in turn holds the CRC-32C of each record
 * @param streamBytes length of the records stream, as it is shipped
 * @param streamCrc CRC-32C of it
 */
record SegmentInfo(
    String content, long number, int count, long payloadBytes, long dataBytes, long sideBytes, int sideCrc, long streamBytes, int streamCrc) {

  String dataName() {
    return content + "-" + number + FileNames.DATA;
  }

  String sideName() {
    return content + "-" + number + FileNames.SIDE;
  }

  String streamName() {
    return content + FileNames.STREAM;
  }
}
