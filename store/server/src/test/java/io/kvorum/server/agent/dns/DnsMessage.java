package io.kvorum.server.agent.dns;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/** A message as RFC 1035 has it, read without the server's codec. */
record DnsMessage(int bytes, int id, int flags, List<String> questions, List<Entry> answers, List<Entry> authority, List<Entry> additional) {
  private static final int TIMEOUT_MILLIS = 5_000;
  /** Datagrams may be lost where many come at a time. */
  private static final int RETRY_MILLIS = 1_000;

  private static final int ATTEMPTS = 10;

  /** @param data of SRV with its target in plain, else in hexadecimal digits */
  record Entry(String owner, int type, int dnsClass, long ttl, String data) {}

  int code() {
    return flags & 15;
  }

  boolean truncated() {
    return (flags & 0x200) != 0;
  }

  /** @param ednsBytes what the sender takes, 0 for no EDNS */
  static byte[] query(int id, int flags, String name, int type, int dnsClass, int ednsBytes, int ednsVersion) {
    ByteBuffer out = ByteBuffer.allocate(512);
    out.putShort((short) id).putShort((short) flags).putShort((short) 1).putShort((short) 0).putShort((short) 0).putShort((short) (ednsBytes > 0 ? 1 : 0));
    for (String label : name.split("\\.")) {
      out.put((byte) label.length()).put(label.getBytes(StandardCharsets.US_ASCII));
    }
    out.put((byte) 0).putShort((short) type).putShort((short) dnsClass);
    if (ednsBytes > 0) {
      out.put((byte) 0).putShort((short) 41).putShort((short) ednsBytes).putInt(ednsVersion << 16).putShort((short) 0);
    }
    byte[] bytes = new byte[out.position()];
    out.flip().get(bytes);
    return bytes;
  }

  static DnsMessage overUdp(InetSocketAddress server, byte[] query) throws IOException {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.setSoTimeout(RETRY_MILLIS);
      DatagramPacket answer = new DatagramPacket(new byte[65_535], 65_535);
      for (int attempt = 1; ; attempt++) {
        try {
          socket.send(new DatagramPacket(query, query.length, server));
          socket.receive(answer);
          return parse(Arrays.copyOf(answer.getData(), answer.getLength()));
        } catch (SocketTimeoutException lost) {
          if (attempt == ATTEMPTS) {
            throw lost;
          }
        }
      }
    }
  }

  static DnsMessage overTcp(InetSocketAddress server, byte[] query) throws IOException {
    try (Socket socket = new Socket(server.getAddress(), server.getPort())) {
      socket.setSoTimeout(TIMEOUT_MILLIS);
      send(socket, query);
      return receive(socket);
    }
  }

  static void send(Socket socket, byte[] query) throws IOException {
    ByteArrayOutputStream framed = new ByteArrayOutputStream();
    new DataOutputStream(framed).writeShort(query.length);
    framed.write(query);
    socket.getOutputStream().write(framed.toByteArray());
  }

  static DnsMessage receive(Socket socket) throws IOException {
    DataInputStream in = new DataInputStream(socket.getInputStream());
    byte[] answer = new byte[in.readUnsignedShort()];
    in.readFully(answer);
    return parse(answer);
  }

  private static DnsMessage parse(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    int id = in.getShort() & 0xffff;
    int flags = in.getShort() & 0xffff;
    int[] counts = {in.getShort(), in.getShort(), in.getShort(), in.getShort()};
    List<String> questions = new ArrayList<>();
    for (int i = 0; i < counts[0]; i++) {
      questions.add(name(in) + " " + in.getShort() + " " + in.getShort());
    }
    DnsMessage message = new DnsMessage(bytes.length, id, flags, questions, entries(in, counts[1]), entries(in, counts[2]), entries(in, counts[3]));
    if (in.hasRemaining()) {
      throw new IllegalStateException("bytes behind the message");
    }
    return message;
  }

  private static List<Entry> entries(ByteBuffer in, int count) {
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String owner = name(in);
      int type = in.getShort() & 0xffff;
      int dnsClass = in.getShort() & 0xffff;
      long ttl = in.getInt() & 0xffffffffL;
      int end = (in.getShort() & 0xffff) + in.position();
      String data;
      if (type == Resource.SRV) {
        data = (in.getShort() & 0xffff) + " " + (in.getShort() & 0xffff) + " " + (in.getShort() & 0xffff) + " " + name(in);
      } else {
        byte[] raw = new byte[end - in.position()];
        in.get(raw);
        data = HexFormat.of().formatHex(raw);
      }
      if (in.position() != end) {
        throw new IllegalStateException("length of a record is wrong");
      }
      entries.add(new Entry(owner, type, dnsClass, ttl, data));
    }
    return entries;
  }

  private static String name(ByteBuffer in) {
    StringBuilder out = new StringBuilder();
    int after = -1;
    while (true) {
      int length = in.get() & 0xff;
      if (length >= 0xc0) {
        int pointer = (length & 0x3f) << 8 | in.get() & 0xff;
        after = after < 0 ? in.position() : after;
        in.position(pointer);
      } else if (length == 0) {
        in.position(after < 0 ? in.position() : after);
        return out.toString();
      } else {
        byte[] label = new byte[length];
        in.get(label);
        out.append(new String(label, StandardCharsets.US_ASCII)).append('.');
      }
    }
  }
}
