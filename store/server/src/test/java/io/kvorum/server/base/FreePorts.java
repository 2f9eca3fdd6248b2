package io.kvorum.server.base;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Ports for members that must know each other's before they start, and that come back on the same ones. They lie below those that the system gives to connections
 * and to sockets without a port, so nothing else takes one between the question and the start, or while a member is down.
 */
public final class FreePorts {
  private static final int FIRST = 15_000;
  private static final int COUNT = 15_000;

  /** One for the whole process: no port is given out twice. It begins elsewhere in each process, for those that run at the same time. */
  private static final AtomicInteger NEXT = new AtomicInteger((int) (ProcessHandle.current().pid() * 97 % COUNT));

  private FreePorts() {}

  /** A port of the loopback address that nobody uses, and that no other call is given. */
  public static int one() {
    for (int attempt = 0; attempt < COUNT; attempt++) {
      int port = FIRST + NEXT.getAndIncrement() % COUNT;
      if (isFree(port)) {
        return port;
      }
    }
    throw new IllegalStateException("no free port from " + FIRST + " on");
  }

  public static List<Integer> some(int count) {
    List<Integer> ports = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ports.add(one());
    }
    return ports;
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }
}
