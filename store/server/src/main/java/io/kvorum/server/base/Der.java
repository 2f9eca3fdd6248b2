package io.kvorum.server.base;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * DER (X.690), the encoding of keys and certificates, as far as this server writes and rewrites it. Written here because a library on the class path, even unused, costs each
 * start with TLS most of a second: Netty looks for it and sets it up as a security provider.
 */
public final class Der {
  public static final int BOOLEAN = 0x01;
  public static final int INTEGER = 0x02;
  public static final int BIT_STRING = 0x03;
  public static final int OCTET_STRING = 0x04;
  public static final int OBJECT_IDENTIFIER = 0x06;
  public static final int UTC_TIME = 0x17;
  public static final int GENERALIZED_TIME = 0x18;
  public static final int SEQUENCE = 0x30;

  private static final int CONTEXT = 0x80;
  private static final int CONSTRUCTED = 0x20;
  private static final int LONG_FORM = 0x80;
  private static final int LENGTH_BYTES_MAX = 3;
  private static final int SEVEN_BITS = 0x7f;

  private Der() {}

  /**
   * One element.
   *
   * @param content of a constructed element
   */
  public record Element(int tag, byte[] content) {
    /** The elements inside. */
    public List<Element> inside() {
      return elements(content);
    }
  }

  /** The tag of a field that is numbered by its context. */
  public static int field(int number, boolean constructed) {
    return CONTEXT | (constructed ? CONSTRUCTED : 0) | number;
  }

  /** An element whose content is these parts, one behind the other. */
  public static byte[] element(int tag, byte[]... parts) {
    int length = 0;
    for (byte[] part : parts) {
      length += part.length;
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream(length + 2 + LENGTH_BYTES_MAX);
    out.write(tag);
    if (length < LONG_FORM) {
      out.write(length);
    } else {
      int bytes = (Integer.SIZE - Integer.numberOfLeadingZeros(length) + Byte.SIZE - 1) / Byte.SIZE;
      out.write(LONG_FORM | bytes);
      for (int i = bytes - 1; i >= 0; i--) {
        out.write(length >> Byte.SIZE * i);
      }
    }
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  public static byte[] sequence(byte[]... parts) {
    return element(SEQUENCE, parts);
  }

  public static byte[] integer(BigInteger value) {
    return element(INTEGER, value.toByteArray());
  }

  /** A bit string of whole bytes. */
  public static byte[] bits(byte[] content) {
    return element(BIT_STRING, new byte[] {0}, content);
  }

  /** @param dotted at least two numbers, e.g. 2.5.29.17 */
  public static byte[] objectIdentifier(String dotted) {
    long[] numbers = Arrays.stream(dotted.split("\\.")).mapToLong(Long::parseLong).toArray();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    base128(out, numbers[0] * 40 + numbers[1]);
    for (int i = 2; i < numbers.length; i++) {
      base128(out, numbers[i]);
    }
    return element(OBJECT_IDENTIFIER, out.toByteArray());
  }

  private static void base128(ByteArrayOutputStream out, long number) {
    int groups = Math.max(1, (Long.SIZE - Long.numberOfLeadingZeros(number) + 6) / 7);
    for (int i = groups - 1; i >= 0; i--) {
      out.write((int) (number >> 7 * i) & SEVEN_BITS | (i > 0 ? LONG_FORM : 0));
    }
  }

  /**
   * The elements that stand one behind the other.
   *
   * @throws IllegalArgumentException when the bytes are something else
   */
  public static List<Element> elements(byte[] encoded) {
    List<Element> found = new ArrayList<>();
    int at = 0;
    while (at < encoded.length) {
      int start = at + 2;
      if (start > encoded.length) {
        throw new IllegalArgumentException("DER ends within an element");
      }
      int length = encoded[at + 1] & 0xff;
      if (length >= LONG_FORM) {
        int bytes = length & SEVEN_BITS;
        if (bytes > LENGTH_BYTES_MAX || start + bytes > encoded.length) {
          throw new IllegalArgumentException("DER with an impossible length");
        }
        length = bytes == 0 ? 0 : new BigInteger(1, encoded, start, bytes).intValue();
        start += bytes;
      }
      if (length > encoded.length - start) {
        throw new IllegalArgumentException("DER ends within an element");
      }
      found.add(new Element(encoded[at] & 0xff, Arrays.copyOfRange(encoded, start, start + length)));
      at = start + length;
    }
    return found;
  }
}
