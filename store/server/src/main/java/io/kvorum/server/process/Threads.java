package io.kvorum.server.process;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads beside those of consensus and network, each with a bounded queue.
 *
 * @param timer short tasks in time; hands over what takes longer
 * @param readers linearizable reads of ranges
 * @param workers what reads everything: hashes
 * @param senders one for each snapshot that is being sent; no more than four at a time
 * @param passwords hashing, signing
 * @param leases the lease keeper's work, in order
 * @param programs a virtual thread for each task; those who give tasks bound their number
 */
record Threads(
    ScheduledThreadPoolExecutor timer,
    ExecutorService readers,
    ExecutorService workers,
    ExecutorService senders,
    ExecutorService passwords,
    ExecutorService leases,
    ExecutorService programs)
    implements AutoCloseable {
  private static final int READS_WAITING_MAX = 65_536;
  private static final int WORK_WAITING_MAX = 16;
  private static final int SENDERS_MAX = 4;
  private static final long SENDER_REST_SECONDS = 10;
  private static final int LOG_INS_WAITING_MAX = 1_024;
  private static final int LEASE_TASKS_MAX = 65_536;
  private static final long STOP_MILLIS = 500;

  static Threads create(int cores) {
    ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, named("timer"));
    timer.setRemoveOnCancelPolicy(true);
    return new Threads(
        timer, pool("reader", Math.max(1, cores), READS_WAITING_MAX), pool("worker", 1, WORK_WAITING_MAX),
        new ThreadPoolExecutor(0, SENDERS_MAX, SENDER_REST_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), named("snapshot")),
        pool("passwords", Math.max(1, cores / 2), LOG_INS_WAITING_MAX), pool("leases", 1, LEASE_TASKS_MAX),
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("program-", 0).factory()));
  }

  private static ThreadPoolExecutor pool(String name, int threads, int waiting) {
    return new ThreadPoolExecutor(threads, threads, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(waiting), named(name));
  }

  private static ThreadFactory named(String name) {
    return Thread.ofPlatform().daemon().name(name + "-", 0).factory();
  }

  @Override
  public void close() {
    timer.shutdownNow();
    readers.shutdown();
    workers.shutdownNow();
    senders.shutdownNow();
    passwords.shutdownNow();
    leases.shutdownNow();
    programs.shutdownNow();
    try {
      readers.awaitTermination(STOP_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
