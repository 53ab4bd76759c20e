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
    void nodesThatShareAZooKeeperReplaceALeaderThatIsKilled() {
        try (FeliceCluster cluster = FeliceCluster.of(3).zooKeeper().start()) {
            Clients.createTopic(cluster.bootstrap(), "orders", 1, 3, Map.of("min.insync.replicas", "2"));
            Clients.write(cluster.bootstrap(), "orders", Java.numbered("order", 100));
            int killed = cluster.leader("orders", 0);

            cluster.kill(killed);
            Clients.write(cluster.bootstrap(), "orders", Java.numbered("later", 100));
            cluster.start(killed);
            cluster.awaitInSync();

            assertThat(Java.values(cluster.bootstrap(), "orders", 0))
                    .startsWith(Java.numbered("order", 100).toArray(String[]::new))
                    .endsWith(Java.numbered("later", 100).toArray(String[]::new))
                    .hasSize(200);
        }
    }
}
