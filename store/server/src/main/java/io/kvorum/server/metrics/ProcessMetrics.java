package io.kvorum.server.metrics;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Figures of the operating system about this process, under Prometheus' usual names, and of the Java runtime. Linux only; elsewhere the latter alone are shown. */
public final class ProcessMetrics implements MetricSource {
  private static final Path PROC = Path.of("/proc/self");
  private static final int PAGE_BYTES = 4_096;
  private static final double TICKS_PER_SECOND = 100;
  private static final int UTIME = 11;
  private static final int STIME = 12;
  private static final int STARTTIME = 19;
  private static final int VSIZE = 20;
  private static final int RSS = 21;
  private static final int IN_OCTETS = 6;
  private static final int OUT_OCTETS = 7;

  /** As Prometheus' own collector says it: the largest unsigned number. */
  private static final double UNLIMITED = 1.8446744073709552e19;

  @Override
  public void collect(MetricsText out) {
    runtime(out);
    try {
      traffic(out);
      String stat = Files.readString(PROC.resolve("stat"));
      // The name of the program, in parentheses, may contain anything.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      out.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", Double.parseDouble(fields[RSS]) * PAGE_BYTES);
      out.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", Double.parseDouble(fields[VSIZE]));
      out.gauge("process_virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes.", limit("Max address space"));
      double ticks = Double.parseDouble(fields[UTIME]) + Double.parseDouble(fields[STIME]);
      out.counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", ticks / TICKS_PER_SECOND);
      double started = bootSeconds() + Double.parseDouble(fields[STARTTIME]) / TICKS_PER_SECOND;
      out.gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", started);
      long open = count(PROC.resolve("fd"));
      double limit = fileDescriptorLimit();
      out.gauge("process_open_fds", "Number of open file descriptors.", open);
      out.gauge("process_max_fds", "Maximum number of open file descriptors.", limit);
      out.gauge("os_fd_used", "The number of used file descriptors.", open);
      out.gauge("os_fd_limit", "The file descriptor limit.", limit);
    } catch (IOException | RuntimeException e) {
      // No such figures on this system.
      return;
    }
  }

  private static double bootSeconds() throws IOException {
    return Files.readAllLines(Path.of("/proc/stat")).stream().filter(line -> line.startsWith("btime ")).mapToDouble(line -> Double.parseDouble(line.substring(6))).sum();
  }

  private static long count(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.count();
    }
  }

  /** How many files this process may have open; 0 when unknown. */
  public static double fileDescriptorLimit() {
    try {
      return limit("Max open files");
    } catch (IOException e) {
      return 0;
    }
  }

  private static double limit(String name) throws IOException {
    for (String line : Files.readAllLines(PROC.resolve("limits"))) {
      if (line.startsWith(name)) {
        String soft = line.substring(name.length()).strip().split(" +")[0];
        return soft.equals("unlimited") ? UNLIMITED : Double.parseDouble(soft);
      }
    }
    return 0;
  }

  /** Of the network namespace, as Prometheus' own collector shows them. */
  private static void traffic(MetricsText out) throws IOException {
    double received = 0;
    double sent = 0;
    for (String line : Files.readAllLines(PROC.resolve("net/netstat"))) {
      if (line.startsWith("IpExt: ") && Character.isDigit(line.charAt("IpExt: ".length()))) {
        String[] octets = line.substring("IpExt: ".length()).split(" ");
        received = Double.parseDouble(octets[IN_OCTETS]);
        sent = Double.parseDouble(octets[OUT_OCTETS]);
      }
    }
    out.counter("process_network_receive_bytes_total", "Number of bytes received by the process over the network.", received);
    out.counter("process_network_transmit_bytes_total", "Number of bytes sent by the process over the network.", sent);
  }

  private static void runtime(MetricsText out) {
    Runtime runtime = Runtime.getRuntime();
    out.gauge("kvorum_java_info", "Version of the Java runtime.", MetricsText.labels("version", Runtime.version().toString()), 1)
        .gauge("kvorum_heap_used_bytes", "Heap in use, garbage included.", runtime.totalMemory() - runtime.freeMemory())
        .gauge("kvorum_heap_committed_bytes", "Heap taken from the system.", runtime.totalMemory())
        .gauge("kvorum_heap_max_bytes", "Bound of the heap.", runtime.maxMemory());
  }
}
