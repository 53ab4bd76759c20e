package io.felice.broker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Openings run a limited number at a time, each once, and those that a client waits for first. */
@Timeout(60)
class OpeningsTest {
    private static final int MOST = 3;
    private static final int LOGS = 300;

    private final ExecutorService threads = Executors.newFixedThreadPool(2 * MOST);

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    @Test
    void theLimitOfSimultaneousOpeningsIsUsed() throws Exception {
        Openings openings = new Openings(threads, MOST);
        CyclicBarrier together = new CyclicBarrier(MOST);
        CountDownLatch done = new CountDownLatch(MOST);
        for (int log = 0; log < MOST; log++) {
            openings.add(() -> {
                await(together);
                done.countDown();
            });
        }

        done.await();

        assertThat(openings.mostAtOnce()).isEqualTo(MOST);
    }

    @Test
    void openingsAreUnderWayUntilTheLastLogIsOpened() {
        Deque<Runnable> pool = new ArrayDeque<>();
        Openings openings = new Openings(pool::add, 1);
        List<Boolean> whileOpening = new ArrayList<>();
        assertThat(openings.areUnderWay()).isFalse();

        openings.add(() -> whileOpening.add(openings.areUnderWay()));
        openings.add(() -> whileOpening.add(openings.areUnderWay()));
        assertThat(openings.areUnderWay()).isTrue();
        pool.poll().run();

        assertThat(whileOpening).containsExactly(true, true);
        assertThat(openings.areUnderWay()).isFalse();
    }

    @Test
    void anUnexpectedFailureDoesNotStopOtherOpenings() {
        Deque<Runnable> pool = new ArrayDeque<>();
        Openings openings = new Openings(pool::add, 1);
        List<Integer> opened = new ArrayList<>();
        openings.add(() -> {
            throw new IllegalStateException("an accident");
        });
        openings.add(() -> opened.add(2));

        pool.poll().run();

        assertThat(opened).containsExactly(2);
        assertThat(openings.areUnderWay()).isFalse();
    }

    @Test
    void neverMoreThanTheLimitAreOpenedAtOnceAndEachLogIsOpenedOnce() throws Exception {
        Openings openings = new Openings(threads, MOST);
        List<Integer> opened = Collections.synchronizedList(new ArrayList<>());
        AtomicInteger atOnce = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(LOGS);
        for (int log = 0; log < LOGS; log++) {
            int number = log;
            Openings.Opening opening = openings.add(() -> {
                most.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
                Thread.yield();
                opened.add(number);
                atOnce.decrementAndGet();
                done.countDown();
            });
            if (log % 3 == 0) {
                opening.hurry();
                opening.hurry();
            }
        }

        done.await();

        assertThat(most.get()).isLessThanOrEqualTo(MOST);
        assertThat(openings.mostAtOnce()).isBetween(most.get(), MOST);
        assertThat(opened).hasSize(LOGS).doesNotHaveDuplicates();
    }

    @Test
    void logsThatClientsWaitForAreOpenedFirstInTheOrderOfTheRequests() {
        Deque<Runnable> pool = new ArrayDeque<>();
        Openings openings = new Openings(pool::add, 1);
        List<String> opened = new ArrayList<>();
        openings.add(() -> opened.add("first"));
        Openings.Opening second = openings.add(() -> opened.add("second"));
        openings.add(() -> opened.add("third"));
        Openings.Opening fourth = openings.add(() -> opened.add("fourth"));
        fourth.hurry();
        second.hurry();

        assertThat(pool).as("tasks for one worker").hasSize(1);
        pool.remove().run();

        assertThat(opened).containsExactly("fourth", "second", "first", "third");
    }

    @Test
    void hurryingWhatIsOpenAlreadyOpensNothing() {
        Deque<Runnable> pool = new ArrayDeque<>();
        Openings openings = new Openings(pool::add, 1);
        List<String> opened = new ArrayList<>();
        Openings.Opening first = openings.add(() -> opened.add("first"));
        pool.remove().run();
        first.hurry();
        openings.add(() -> opened.add("second"));
        pool.remove().run();

        assertThat(opened).containsExactly("first", "second");
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await(30, TimeUnit.SECONDS);
        } catch (Exception alone) {
            throw new AssertionError(alone);
        }
    }
}
