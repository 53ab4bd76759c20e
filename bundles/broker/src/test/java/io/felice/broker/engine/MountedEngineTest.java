package io.felice.broker.engine;

import static io.felice.broker.partition.Bench.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.broker.partition.ScriptedEngine;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An engine on a system that sometimes cannot create a thread. */
class MountedEngineTest {
    private volatile boolean exhausted;
    private final MountedEngine engine =
            OfferedEngine.mounted("disk", new ScriptedEngine(Clock.systemUTC()), 3, System::nanoTime, this::thread);
    private final List<String> done = new CopyOnWriteArrayList<>();

    private Thread thread(Runnable work) {
        if (exhausted) {
            throw new OutOfMemoryError("unable to create native thread, said by a test");
        }
        return new Thread(work);
    }

    @AfterEach
    void tearDown() {
        engine.close();
    }

    @Test
    void aTaskWithoutAThreadRunsWhenAThreadCanBeCreated() {
        exhausted = true;
        engine.execute(() -> done.add("early"));
        engine.startWaiting();
        assertThat(done).isEmpty();

        exhausted = false;
        engine.startWaiting();

        eventually(() -> assertThat(done).containsExactly("early"));
    }

    @Test
    void aTaskWithoutItsOwnThreadRunsOnAnExistingThread() {
        CountDownLatch busy = new CountDownLatch(1);
        engine.execute(() -> waitFor(busy));
        exhausted = true;

        engine.execute(() -> done.add("late"));
        busy.countDown();

        eventually(() -> assertThat(done).containsExactly("late"));
    }

    @Test
    void logsAreOpenedEvenIfThreadsOftenCannotBeCreated() {
        exhausted = true;
        List<String> logs = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            String log = "orders-" + i;
            logs.add(log);
            engine.openings().add(() -> done.add(log));
        }

        exhausted = false;
        engine.startWaiting();

        eventually(() -> assertThat(done).containsExactlyInAnyOrderElementsOf(logs));
    }

    private static void waitFor(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }
}
