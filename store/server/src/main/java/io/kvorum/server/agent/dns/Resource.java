package io.kvorum.server.agent.dns;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * A resource record of class IN.
 *
 * @param owner name with a dot at its end; {@link #OF_QUESTION} for the name that was asked for
 * @param type number of the type
 * @param data as messages carry it
 */
record Resource(String owner, int type, byte[] data) {
  static final int A = 1;
  static final int NS = 2;
  static final int SOA = 6;
  static final int AAAA = 28;
  static final int SRV = 33;
  static final int ANY = 255;

  /** Stands for the question's name, which the message then does not repeat. */
  static final String OF_QUESTION = "@.";

  /** How long an answer may be kept, seconds: a registration may end at any moment, and asking again costs nothing. */
  static final int TTL_SECONDS = 1;

  private static final int POINTER_BYTES = 2;
  private static final int FIXED_BYTES = 10;
  private static final int SRV_FIXED_BYTES = 6;
  private static final int REFRESH_SECONDS = 3_600;
  private static final int RETRY_SECONDS = 600;
  private static final int EXPIRE_SECONDS = 86_400;

  /** A or AAAA. */
  static Resource address(String owner, InetAddress address) {
    return new Resource(owner, address instanceof Inet4Address ? A : AAAA, address.getAddress());
  }

  /** SRV of the question's name. */
  static Resource service(ServiceInstance instance, String target) {
    byte[] name = DnsNames.wire(target);
    ByteBuffer data = ByteBuffer.allocate(SRV_FIXED_BYTES + name.length);
    data.putShort((short) instance.priority()).putShort((short) instance.weight()).putShort((short) instance.port()).put(name);
    return new Resource(OF_QUESTION, SRV, data.array());
  }

  /** The zone's SOA; how long a "no" may be kept is {@link #TTL_SECONDS} too. */
  static Resource authority(String domain, long serial) {
    byte[] server = DnsNames.wire("localhost.");
    byte[] mailbox = DnsNames.wire("nobody.invalid.");
    ByteBuffer data = ByteBuffer.allocate(server.length + mailbox.length + 5 * Integer.BYTES);
    data.put(server).put(mailbox).putInt((int) serial).putInt(REFRESH_SECONDS).putInt(RETRY_SECONDS).putInt(EXPIRE_SECONDS).putInt(TTL_SECONDS);
    return new Resource(domain, SOA, data.array());
  }

  /** The zone's NS. */
  static Resource nameServer(String domain) {
    return new Resource(domain, NS, DnsNames.wire("localhost."));
  }

  /** Bytes in a message. */
  int size() {
    return (owner.equals(OF_QUESTION) ? POINTER_BYTES : owner.length() + 1) + FIXED_BYTES + data.length;
  }
}
