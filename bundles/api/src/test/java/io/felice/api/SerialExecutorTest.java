package io.felice.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Tasks run one at a time and in order, and a caller runs only a limited number of them. */
class SerialExecutorTest {
    private final Queue<Runnable> pool = new ArrayDeque<>();
    private final SerialExecutor serial = new SerialExecutor("orders-3", pool::add);

    @Test
    void aTaskForAnIdleQueueRunsOnTheCallingThread() {
        List<Thread> ranOn = new ArrayList<>();

        serial.execute(() -> ranOn.add(Thread.currentThread()));

        assertThat(ranOn).containsExactly(Thread.currentThread());
    }

    @Test
    void aTaskThatATaskAddsRunsAfterTheCurrentTaskAndNotInsideIt() {
        List<String> order = new ArrayList<>();

        serial.execute(() -> {
            serial.execute(() -> order.add("inner"));
            order.add("outer");
        });

        assertThat(order).containsExactly("outer", "inner");
    }

    @Test
    void aCallerRunsALimitedNumberOfTasksAndThePoolRunsTheRest() {
        List<Integer> ran = new ArrayList<>();

        serial.execute(() -> {
            for (int i = 0; i < 1_000; i++) {
                int task = i;
                serial.execute(() -> ran.add(task));
            }
        });
        int byTheCaller = ran.size();
        while (!pool.isEmpty()) {
            pool.remove().run();
        }

        assertThat(byTheCaller).isLessThan(100);
        assertThat(ran).hasSize(1_000).isSorted();
    }

    @Test
    void tasksOfManyThreadsNeverOverlapAndNoneIsLost() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        SerialExecutor shared = new SerialExecutor("shared", threads);
        int perThread = 20_000;
        CountDownLatch done = new CountDownLatch(4 * perThread);
        int[] unguarded = new int[1];

        for (int t = 0; t < 4; t++) {
            threads.execute(() -> {
                for (int i = 0; i < perThread; i++) {
                    shared.execute(() -> {
                        unguarded[0]++;
                        done.countDown();
                    });
                }
            });
        }

        assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
        assertThat(unguarded[0]).isEqualTo(4 * perThread);
        threads.shutdown();
    }

    @Test
    void aTaskThatThrowsIsLoggedWithItsSubjectAndDoesNotStopTheQueue() {
        List<String> ran = new ArrayList<>();
        Runnable broken = () -> {
            throw new IllegalStateException("a broken invariant");
        };

        String log = logOf(() -> {
            serial.execute(broken);
            serial.execute(() -> ran.add("next"));
        });

        assertThat(log)
                .contains("ERROR io.felice.api.SerialExecutor - A task of orders-3 failed")
                .contains("IllegalStateException: a broken invariant")
                .contains("at io.felice.api.SerialExecutorTest");
        assertThat(ran).containsExactly("next");
    }

    @Test
    void theUncaughtExceptionHandlerOfTheThreadGetsTheFailureOfATaskAndTheNextTaskRuns() {
        List<Throwable> seen = new ArrayList<>();
        List<String> ran = new ArrayList<>();
        Thread thread = new Thread(() -> {
            serial.execute(() -> {
                throw new IllegalStateException("broken");
            });
            serial.execute(() -> ran.add("next"));
        });
        thread.setUncaughtExceptionHandler((t, failure) -> seen.add(failure));

        logOf(() -> {
            thread.start();
            join(thread);
        });

        assertThat(seen).singleElement().isInstanceOf(IllegalStateException.class);
        assertThat(ran).containsExactly("next");
    }

    @Test
    void aTaskThatThrowsOnAThreadOfThePoolIsLogged() {
        serial.later(() -> {
            throw new AssertionError("broken on the pool");
        });

        String log = logOf(() -> pool.remove().run());

        assertThat(log)
                .contains("ERROR io.felice.api.SerialExecutor - A task of orders-3 failed")
                .contains("AssertionError: broken on the pool");
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    /** The log lines while {@code action} runs: slf4j-simple writes to the standard error stream. */
    private static String logOf(Runnable action) {
        PrintStream before = System.err;
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        System.setErr(new PrintStream(lines, true, StandardCharsets.UTF_8));
        try {
            action.run();
        } finally {
            System.setErr(before);
        }
        return lines.toString(StandardCharsets.UTF_8);
    }
}
