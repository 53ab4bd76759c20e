package io.felice.cluster.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ZooKeeperClientTest {
    private static final int LOOKS = 1_000;

    @TempDir
    Path directory;

    private final AtomicInteger events = new AtomicInteger();

    /** Each reading registers a watch, and readings repeat every few seconds for as long as the node runs. */
    @Test
    void whoLooksAThousandTimesIsToldOfAChangeOnce() throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (TestEnsemble ensemble = new TestEnsemble(directory)) {
            ZooKeeperClient client = new ZooKeeperClient(
                    ensemble.connectString(),
                    10_000,
                    Encryption.NONE,
                    "a secret".getBytes(),
                    null,
                    (which, state) -> {},
                    task -> {
                        events.incrementAndGet();
                        thread.execute(task);
                    });
            AtomicInteger answers = new AtomicInteger();
            AtomicInteger looks = new AtomicInteger();
            RepeatedRead look = new RepeatedRead(done -> looks.incrementAndGet());
            client.create("/seen", new byte[1], CreateMode.PERSISTENT, (code, stat) -> answers.incrementAndGet());
            for (int i = 0; i < LOOKS; i++) {
                client.get("/seen", look, (code, node) -> answers.incrementAndGet());
                client.exists("/seen", look, (code, stat) -> answers.incrementAndGet());
                client.children("/seen", look, (code, names) -> answers.incrementAndGet());
            }
            await().untilAsserted(() -> assertThat(answers).hasValue(1 + 3 * LOOKS));
            events.set(0);

            client.set("/seen", new byte[2], -1, (code, stat) -> {
                assertThat(code).isEqualTo(Code.OK);
                answers.incrementAndGet();
            });

            await().untilAsserted(() -> assertThat(answers).hasValue(2 + 3 * LOOKS));
            assertThat(looks).hasValue(1);
            assertThat(events).as("the change and the answer").hasValue(2);
            client.end();
        } finally {
            thread.shutdown();
        }
    }
}
