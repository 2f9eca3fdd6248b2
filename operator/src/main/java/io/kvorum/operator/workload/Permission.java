package io.kvorum.operator.workload;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;

/**
 * What a role may do to a range of keys.
 *
 * @param key first key
 * @param end first key that is no longer part of it, as the store's API writes it
 */
public record Permission(ByteString key, ByteString end, Access access) {

  /** Reading, writing, or both. */
  public enum Access {
    READ,
    WRITE,
    READWRITE
  }

  /** Of all keys that begin with a text, which is not empty. */
  public static Permission prefix(String prefix, Access access) {
    byte[] end = prefix.getBytes(StandardCharsets.UTF_8);
    // No byte of UTF-8 is 255, so that the last one has a successor.
    end[end.length - 1]++;
    return new Permission(ByteString.copyFromUtf8(prefix), ByteString.copyFrom(end), access);
  }

  /** The same keys, whatever the access: a role has one permission for each. */
  public boolean sameRange(Permission other) {
    return key.equals(other.key) && end.equals(other.end);
  }

  @Override
  public String toString() {
    return access + " [" + key.toStringUtf8() + ", " + end.toStringUtf8() + ")";
  }
}
