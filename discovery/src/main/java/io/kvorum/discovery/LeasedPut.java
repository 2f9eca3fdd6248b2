package io.kvorum.discovery;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * A key that is there as long as this is: written with its lease in one call ({@code kvorum.v1.Leases.PutWithLease}; by grant and put where the server does not have that), kept alive, written
 * again when the lease has ended meanwhile, and taken away by {@link #close}. A process that dies leaves it for the TTL at most. Any thread.
 *
 * <p>Lives on a thread of its own. What fails is tried again after a pause of {@link Backoff}, at the next endpoint.
 */
public final class LeasedPut implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(LeasedPut.class.getName());

  /** Renewals within one TTL. */
  private static final int RENEWALS = 3;

  private static final long CLOSE_SECONDS = 2;

  private final Store store;
  private final ByteString key;
  private final long ttlSeconds;
  private final LeaseCalls calls;
  private final LongSupplier nanoClock;
  private final Backoff backoff;
  private final Thread keeper;

  /** Guards what follows, and is told of its changes. */
  private final Object lock = new Object();

  private ByteString value;

  /** What the store has; another object than {@link #value} while that is to be written. */
  private ByteString written;

  /** When the lease ends unless it is renewed; meaningless before the first write. */
  private long heldUntil;

  private boolean held;
  private boolean closed;
  private Status trouble;

  /**
   * @param ttl at least a second; fractions are cut off
   * @param random for lease ids and pauses
   */
  LeasedPut(Store store, String key, String value, Duration ttl, LongSupplier nanoClock, RandomGenerator random) {
    if (key.isEmpty() || ttl.toSeconds() < 1) {
      throw new IllegalArgumentException(key.isEmpty() ? "no key" : "less than a second: " + ttl);
    }
    this.store = store;
    this.key = ByteString.copyFromUtf8(key);
    this.value = ByteString.copyFromUtf8(value);
    this.ttlSeconds = ttl.toSeconds();
    this.nanoClock = nanoClock;
    // A store that comes back begins the TTL anew: it is asked before that has passed.
    this.backoff = new Backoff(random, Math.min(Backoff.LAST_MILLIS, TimeUnit.SECONDS.toMillis(ttlSeconds) / RENEWALS));
    this.calls = new LeaseCalls(this.key, ttlSeconds, random);
    this.keeper = Thread.ofVirtual().name("kvorum-lease-" + key).start(this::keep);
  }

  /** With the options of the environment, see {@link StoreOptions#fromEnvironment()}. Returns at once; {@link #await} waits for the key. */
  public static LeasedPut start(String key, String value, Duration ttl) {
    return start(key, value, ttl, StoreOptions.fromEnvironment());
  }

  /** As the other one, with options. */
  public static LeasedPut start(String key, String value, Duration ttl, StoreOptions options) {
    return new LeasedPut(new EndpointStore(options), key, value, ttl, System::nanoTime, RandomGenerator.getDefault());
  }

  /** As the other one, over a channel that stays its owner's. */
  public static LeasedPut start(String key, String value, Duration ttl, Channel channel) {
    return new LeasedPut(Store.of(channel), key, value, ttl, System::nanoTime, RandomGenerator.getDefault());
  }

  /** Registers an instance under its key, as clientv3's naming/endpoints would. */
  public static LeasedPut register(ServiceInstance instance, Duration ttl, StoreOptions options) {
    return start(instance.key(), instance.toJson(), ttl, options);
  }

  /** Writes another value, under the same lease; soon, not now. */
  public void set(String newValue) {
    synchronized (lock) {
      value = ByteString.copyFromUtf8(newValue);
      lock.notifyAll();
    }
  }

  /** Whether the key is there with the newest value, and its lease cannot have ended yet. */
  public boolean held() {
    synchronized (lock) {
      return isHeld();
    }
  }

  private boolean isHeld() {
    return held && !closed && written == value && nanoClock.getAsLong() - heldUntil < 0;
  }

  /**
   * Waits until the key is there.
   *
   * @throws TimeoutException if it is not in time; its message says what the trouble is
   */
  public void await(Duration timeout) throws InterruptedException, TimeoutException {
    long deadline = System.nanoTime() + timeout.toNanos();
    synchronized (lock) {
      while (!isHeld()) {
        long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (closed || left <= 0) {
          throw new TimeoutException(key.toStringUtf8() + " is not written: " + (closed ? "closed" : trouble().orElse("no answer yet")));
        }
        lock.wait(left);
      }
    }
  }

  /** The store's last refusal; empty after a success. */
  public Optional<String> trouble() {
    synchronized (lock) {
      return trouble == null ? Optional.empty() : Optional.of(trouble.getCode() + " " + trouble.getDescription());
    }
  }

  private void keep() {
    try {
      while (true) {
        Channel channel = store.channel();
        try {
          step(channel);
          rest();
        } catch (StatusRuntimeException refused) {
          failed(refused.getStatus());
          store.turn(channel);
          TimeUnit.MILLISECONDS.sleep(backoff.nextMillis());
        }
      }
    } catch (InterruptedException ended) {
      // By close.
    }
  }

  /** What is due: the first write, a new value, or a renewal. */
  private void step(Channel channel) throws InterruptedException {
    ByteString wanted;
    boolean fresh;
    synchronized (lock) {
      wanted = value;
      fresh = !held || wanted != written;
    }
    long began = nanoClock.getAsLong();
    if (calls.isGranted() && !calls.renew(channel)) {
      // It has ended, and the key with it.
      calls.forget();
      fresh = true;
    }
    if (fresh) {
      calls.write(channel, wanted);
    }
    synchronized (lock) {
      held = true;
      written = wanted;
      heldUntil = began + TimeUnit.SECONDS.toNanos(calls.grantedSeconds());
      trouble = null;
      backoff.reset();
      lock.notifyAll();
    }
  }

  private void failed(Status reason) {
    synchronized (lock) {
      if (trouble == null && !closed) {
        LOG.log(System.Logger.Level.WARNING, "{0} cannot be kept: {1} {2}", key.toStringUtf8(), reason.getCode(), reason.getDescription());
      }
      trouble = reason;
    }
  }

  /** Until the next renewal, or a new value. */
  private void rest() throws InterruptedException {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(calls.grantedSeconds()) / RENEWALS;
    synchronized (lock) {
      for (long left = until - System.nanoTime(); left > 0 && value == written; left = until - System.nanoTime()) {
        TimeUnit.NANOSECONDS.timedWait(lock, left);
      }
    }
  }

  /** Takes the key away at once; when the store does not answer within two seconds, it goes with its lease. */
  @Override
  public void close() {
    synchronized (lock) {
      if (closed) {
        return;
      }
      closed = true;
      lock.notifyAll();
    }
    keeper.interrupt();
    boolean interrupted = false;
    try {
      keeper.join(Duration.ofSeconds(CLOSE_SECONDS));
    } catch (InterruptedException hurried) {
      interrupted = true;
    }
    try {
      calls.revoke(store.channel(), CLOSE_SECONDS);
    } catch (StatusRuntimeException away) {
      LOG.log(System.Logger.Level.DEBUG, "the lease ends by itself", away);
    }
    store.close();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
