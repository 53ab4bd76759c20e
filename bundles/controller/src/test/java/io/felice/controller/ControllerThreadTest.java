package io.felice.controller;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The controller's real thread. */
class ControllerThreadTest {
    @Test
    void aTaskThatThrowsIsLoggedAndTheNextOneRuns() throws Exception {
        CountDownLatch next = new CountDownLatch(2);
        PrintStream before = System.err;
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
        ControllerThread thread = ControllerThread.start();

        try {
            thread.offer(() -> fail("given at once"));
            thread.offer(next::countDown);
            thread.after(Duration.ofMillis(1), () -> fail("given for later"));
            thread.after(Duration.ofMillis(2), next::countDown);
            assertThat(next.await(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            thread.close();
            System.setErr(before);
        }

        assertThat(log.toString(StandardCharsets.UTF_8))
                .contains("ERROR io.felice.controller.ControllerThread - A task of the controller failed")
                .contains("IllegalStateException: given at once")
                .contains("IllegalStateException: given for later");
    }

    private static void fail(String when) {
        throw new IllegalStateException(when);
    }
}
