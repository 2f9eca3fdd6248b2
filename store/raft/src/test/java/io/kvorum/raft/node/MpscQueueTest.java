package io.kvorum.raft.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class MpscQueueTest {
  @Test
  void itIsBounded() {
    MpscQueue<Integer> queue = new MpscQueue<>(5);
    for (int i = 0; i < 5; i++) {
      assertThat(queue.offer(i)).isTrue();
    }
    assertThat(queue.offer(5)).isFalse();
    assertThat(queue.poll()).isZero();
    assertThat(queue.offer(5)).isTrue();
    for (int i = 1; i <= 5; i++) {
      assertThat(queue.poll()).isEqualTo(i);
    }
    assertThat(queue.poll()).isNull();
    assertThat(queue.isEmpty()).isTrue();
  }

  @Test
  @Timeout(60)
  void everyItemComesOnceInEachProducersOrderAndNoWakeUpIsLost() throws InterruptedException {
    int producers = 3;
    int each = 100_000;
    MpscQueue<long[]> queue = new MpscQueue<>(256);
    Doorbell bell = new Doorbell();
    long[] next = new long[producers];
    AtomicBoolean inOrder = new AtomicBoolean(true);
    Thread consumer =
        new Thread(
            () -> {
              int left = producers * each;
              while (left > 0) {
                long[] item = queue.poll();
                if (item == null) {
                  // Far longer than the test may take: a lost wake-up would hang it.
                  bell.await(3_600_000_000_000L, () -> !queue.isEmpty());
                  continue;
                }
                inOrder.compareAndSet(true, next[(int) item[0]] == item[1]);
                next[(int) item[0]] = item[1] + 1;
                left--;
              }
            });
    consumer.start();
    Thread[] threads = new Thread[producers];
    for (int p = 0; p < producers; p++) {
      int producer = p;
      threads[p] =
          new Thread(
              () -> {
                for (int i = 0; i < each; i++) {
                  while (!queue.offer(new long[] {producer, i})) {
                    Thread.onSpinWait();
                  }
                  bell.ring();
                }
              });
      threads[p].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    consumer.join();
    assertThat(inOrder).isTrue();
  }
}
