package io.kvorum.server.cluster;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.List;

/**
 * How ids come about, by etcd's formulas, so that tools which predict them keep working: the first eight bytes, big-endian, of a SHA-1. Ids are
 * unsigned.
 */
public final class MemberIds {
  private MemberIds() {}

  /** Id of a founding member: over its sorted peer URLs, concatenated, and the cluster token. */
  public static long founder(Collection<String> peerUrls, String token) {
    return firstEight((joined(peerUrls) + token).getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Id of a member added at run time: over its sorted peer URLs and the time of the request in seconds since the epoch, decimal. The token plays no
   * part.
   */
  public static long added(Collection<String> peerUrls, long unixSeconds) {
    return firstEight((joined(peerUrls) + unixSeconds).getBytes(StandardCharsets.UTF_8));
  }

  /** Id of a cluster: over its founders' ids, eight bytes each, ascending. */
  public static long cluster(Collection<Long> founders) {
    List<Long> sorted = founders.stream().sorted(Long::compareUnsigned).toList();
    ByteBuffer bytes = ByteBuffer.allocate(sorted.size() * Long.BYTES);
    sorted.forEach(bytes::putLong);
    return firstEight(bytes.array());
  }

  /** Id of a cluster that one member goes on as alone: over its id, eight bytes, and a token. The same call always gives the same id. */
  public static long forcedCluster(long member, String token) {
    byte[] text = token.getBytes(StandardCharsets.UTF_8);
    return firstEight(ByteBuffer.allocate(Long.BYTES + text.length).putLong(member).put(text).array());
  }

  /** Lowercase hexadecimal without leading zeros, as etcd prints ids. */
  public static String hex(long id) {
    return Long.toUnsignedString(id, 16);
  }

  private static String joined(Collection<String> peerUrls) {
    return String.join("", peerUrls.stream().sorted().toList());
  }

  private static long firstEight(byte[] data) {
    try {
      return ByteBuffer.wrap(MessageDigest.getInstance("SHA-1").digest(data)).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-1", e);
    }
  }
}
