package io.felice.replication;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.ConfigResource;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class FetchThrottleTest {
    private static final TopicPartition MOVED = new TopicPartition("orders", 0);
    private static final TopicPartition IN_SYNC = new TopicPartition("orders", 1);
    private static final TopicPartition OTHER = new TopicPartition("orders", 2);

    private final FakeView view = new FakeView();
    private long nanos;
    private final FetchThrottle throttle = new FetchThrottle(new ViewConfigs(view), view, () -> nanos);

    FetchThrottleTest() {
        UUID topic = UUID.randomUUID();
        view.apply(new MetadataRecord.TopicCreated(topic, "orders"));
        for (int partition = 0; partition < 3; partition++) {
            List<Integer> inSync = partition == IN_SYNC.partition() ? List.of(2, FakeView.SELF) : List.of(2);
            view.apply(new MetadataRecord.PartitionChanged(
                    topic, partition, PartitionState.created(List.of(2, FakeView.SELF), inSync, 2)));
        }
        set(ConfigResource.topic("orders"), "follower.replication.throttled.replicas", "0:1,1:1,2:2");
    }

    private void set(ConfigResource resource, String key, String value) {
        view.apply(new MetadataRecord.ConfigSet(resource, key, value));
    }

    private void rate(long bytesPerSecond) {
        set(ConfigResource.broker(FakeView.SELF), "follower.replication.throttled.rate", "" + bytesPerSecond);
    }

    @Test
    void withoutARateNobodyWaits() {
        assertThat(throttle.waitAfter(MOVED, 1_000_000)).isZero();
    }

    @Test
    void aThrottledReplicaWaitsAsLongAsItsBytesTake() {
        rate(1_000);

        assertThat(throttle.waitAfter(MOVED, 2_000))
                .isEqualTo(Duration.ofSeconds(2).toNanos());
        nanos += Duration.ofSeconds(1).toNanos();
        assertThat(throttle.waitAfter(MOVED, 500))
                .isEqualTo(Duration.ofMillis(1500).toNanos());
    }

    @Test
    void replicasThatAreInSyncOrNotNamedDoNotWait() {
        rate(1_000);
        throttle.waitAfter(MOVED, 10_000);

        assertThat(throttle.waitAfter(IN_SYNC, 10_000)).isZero();
        assertThat(throttle.waitAfter(OTHER, 10_000)).isZero();
    }
}
