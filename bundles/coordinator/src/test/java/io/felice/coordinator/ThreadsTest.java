package io.felice.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.config.BrokerConfig;
import io.felice.api.group.Groups.Join;
import io.felice.api.group.Groups.Joined;
import io.felice.api.group.Groups.OffsetToCommit;
import io.felice.api.group.Groups.Protocol;
import io.felice.api.group.Groups.Sync;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The coordinator on real threads and real time. */
class ThreadsTest {
    private static final int CLIENTS = 4;
    private static final int COMMITS = 500;
    private static final TopicPartition PARTITION = new TopicPartition("t", 0);

    private final FakeBroker broker = new FakeBroker();
    private final ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    private GroupCoordinator groups;

    @AfterEach
    void stop() {
        clients.shutdownNow();
    }

    private void start() {
        broker.set(BrokerConfig.GROUP_INITIAL_REBALANCE_DELAY_MS, 50);
        broker.createTopic("t", 1);
        broker.createOffsetsTopic(2);
        groups = new GroupCoordinator(broker, broker, broker);
        await().until(() -> groups.tables().get(1).value("shards.loaded").equals(Optional.of(2L)));
    }

    /** Joins, syncs, then sends heartbeats and commits, as the only member of its group. */
    private void live(String group) {
        Joined told = join(group, "");
        Joined joined = join(group, told.memberId());
        assertThat(joined.error()).isEqualTo(ErrorCode.NONE);
        Sync sync = new Sync(group, 1, joined.memberId(), null, null, null, Map.of(joined.memberId(), new byte[3]));
        assertThat(groups.sync(sync).toCompletableFuture().join().assignment()).hasSize(3);
        for (int i = 0; i < COMMITS; i++) {
            assertThat(groups.heartbeat(group, 1, joined.memberId(), null)).isEqualTo(ErrorCode.NONE);
            assertThat(groups.commit(
                                    group,
                                    1,
                                    joined.memberId(),
                                    null,
                                    Map.of(PARTITION, new OffsetToCommit(i, -1, "", -1)))
                            .toCompletableFuture()
                            .join())
                    .containsEntry(PARTITION, ErrorCode.NONE);
        }
    }

    private Joined join(String group, String memberId) {
        Join join = new Join(
                group,
                memberId,
                null,
                "client",
                "/host",
                true,
                true,
                Duration.ofSeconds(30),
                Duration.ofSeconds(30),
                "consumer",
                List.of(new Protocol("range", new byte[0])),
                null);
        return groups.join(join).toCompletableFuture().join();
    }

    @Test
    void groupsOfOneShardAreServedFromManyThreads() throws Exception {
        start();
        List<Future<?>> lives = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            String group = "group-" + i;
            lives.add(clients.submit(() -> live(group)));
        }
        for (Future<?> life : lives) {
            life.get(60, TimeUnit.SECONDS);
        }

        for (int i = 0; i < CLIENTS; i++) {
            long committed = groups.fetchOffsets("group-" + i, Optional.empty(), false)
                    .toCompletableFuture()
                    .join()
                    .offsets()
                    .get(PARTITION)
                    .offset();
            assertThat(committed).isEqualTo(COMMITS - 1);
        }
        groups.deactivate();
    }

    @Test
    void noThreadIsLeftBehind() {
        start();

        groups.deactivate();

        await().atMost(Duration.ofSeconds(60)).until(() -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().startsWith("felice-coordinator")));
    }
}
