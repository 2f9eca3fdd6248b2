package io.kvorum.server.front;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Figures of the operating system about this process, under Prometheus' usual names. Linux only; elsewhere nothing is shown. */
public final class ProcessMetrics {
  private static final Path PROC = Path.of("/proc/self");
  private static final int PAGE_BYTES = 4_096;
  private static final double TICKS_PER_SECOND = 100;
  private static final int UTIME = 11;
  private static final int STIME = 12;
  private static final int STARTTIME = 19;
  private static final int VSIZE = 20;
  private static final int RSS = 21;

  private ProcessMetrics() {}

  public static void collect(MetricsText out) {
    try {
      String stat = Files.readString(PROC.resolve("stat"));
      // The name of the program, in parentheses, may contain anything.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      out.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", Double.parseDouble(fields[RSS]) * PAGE_BYTES);
      out.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", Double.parseDouble(fields[VSIZE]));
      double ticks = Double.parseDouble(fields[UTIME]) + Double.parseDouble(fields[STIME]);
      out.counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", ticks / TICKS_PER_SECOND);
      double started = bootSeconds() + Double.parseDouble(fields[STARTTIME]) / TICKS_PER_SECOND;
      out.gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", started);
      long open = count(PROC.resolve("fd"));
      long limit = limit();
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

  private static long limit() throws IOException {
    for (String line : Files.readAllLines(PROC.resolve("limits"))) {
      if (line.startsWith("Max open files")) {
        return Long.parseLong(line.substring("Max open files".length()).strip().split(" +")[0]);
      }
    }
    return 0;
  }
}
