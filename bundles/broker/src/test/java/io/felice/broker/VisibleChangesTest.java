package io.felice.broker;

import static io.felice.broker.partition.Bench.get;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.Subscription;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.TopicConfig;
import io.felice.broker.partition.ScriptedEngine;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who changes a config gets the answer when the change is in force, whatever else the broker is busy with. */
class VisibleChangesTest {
    private final ScriptedEngine engine = new ScriptedEngine(Clock.systemUTC());
    private final CountDownLatch hangs = new CountDownLatch(1);

    @TempDir
    private Path directory;

    private SoloBroker solo;

    @BeforeEach
    void setUp() {
        solo = new SoloBroker(directory, Map.of("scripted", engine));
        solo.create("orders", Map.of());
    }

    @AfterEach
    void tearDown() {
        hangs.countDown();
        solo.close();
    }

    @Test
    void aConfigDoesNotWaitForThePartitionsOfANewTopic() {
        engine.onOpen = this::hang;
        UUID bills = UUID.randomUUID();
        solo.append(
                new MetadataRecord.TopicCreated(bills, "bills"),
                new MetadataRecord.PartitionChanged(bills, 0, PartitionState.created(List.of(0), List.of(0), 0)));

        long version = get(changeRetention());
        CompletionStage<ClusterView> opened = solo.broker.metadata().reached(version);
        get(solo.broker.metadata().replayed(version));

        assertThat(opened.toCompletableFuture()).isNotDone();
        assertThat(solo.broker.configs().topic("orders").getLong(TopicConfig.RETENTION_MS))
                .isEqualTo(7);
    }

    @Test
    void aConfigDoesNotWaitForThoseWhoListenToChanges() {
        long before = solo.broker.metadata().view().version();
        Subscription slow = solo.broker.metadata().listen(view -> {
            if (view.version() > before) {
                hang();
            }
        });

        long version = get(changeRetention());
        get(solo.broker.metadata().replayed(version));

        assertThat(solo.broker.configs().topic("orders").getLong(TopicConfig.RETENTION_MS))
                .isEqualTo(7);
        slow.close();
    }

    @Test
    void aVersionThatDoesNotComeIsNotWaitedForLongerThanAClientWaits() {
        CompletionStage<ClusterView> never =
                solo.broker.metadata().replayed(solo.broker.metadata().view().version() + 1);

        assertThat(never.handle((view, failure) -> failure).toCompletableFuture())
                .succeedsWithin(java.time.Duration.ofSeconds(60))
                .isNotNull();
    }

    private CompletionStage<Long> changeRetention() {
        return solo.append(new MetadataRecord.ConfigSet(ConfigResource.topic("orders"), TopicConfig.RETENTION_MS, "7"));
    }

    private void hang() {
        try {
            hangs.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
