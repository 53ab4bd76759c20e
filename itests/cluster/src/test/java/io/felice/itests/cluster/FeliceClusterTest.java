package io.felice.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Java;
import io.felice.testkit.FeliceCluster;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The cluster of the test kit itself: nodes are stopped, killed, cut off and started again. */
class FeliceClusterTest {
    @Test
    void aKilledNodeComesBackWithTheRecordsThatItAcknowledged() {
        try (FeliceCluster cluster = FeliceCluster.of(1).start()) {
            Java.createTopic(cluster.bootstrap(), "orders", 1, Map.of());
            Java.write(cluster.bootstrap(), "orders", 0, Java.numbered("order", 100));

            cluster.kill(1);
            cluster.start(1);

            assertThat(Java.values(cluster.bootstrap(), "orders", 0)).isEqualTo(Java.numbered("order", 100));
        }
    }

    @Test
    void aClusterOnZooKeeperDoesTheSame() {
        try (FeliceCluster cluster = FeliceCluster.of(1).zooKeeper().start()) {
            Java.createTopic(cluster.bootstrap(), "orders", 1, Map.of());
            Java.write(cluster.bootstrap(), "orders", 0, Java.numbered("order", 100));

            cluster.kill(1);
            cluster.start(1);

            assertThat(Java.values(cluster.bootstrap(), "orders", 0)).isEqualTo(Java.numbered("order", 100));
        }
    }
}
