package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.DistributionNode;
import io.felice.itests.rig.Programs;
import io.felice.testkit.FeliceNode;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A node with several listeners. */
class ListenersTest {

    @Test
    void eachListenerTellsItsOwnAdvertisedAddress() {
        int inside = DistributionNode.freePort();
        int outside = DistributionNode.freePort();
        FeliceNode.Builder builder = FeliceNode.inMemory()
                .config(
                        "io.felice.network",
                        "listeners",
                        "INSIDE://127.0.0.1:" + inside + ",OUTSIDE://127.0.0.1:" + outside)
                .config("io.felice.network", "advertised.listeners", "OUTSIDE://broker.example.org:4711")
                .config("io.felice.network", "listener.security.protocol.map", "INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT");
        try (FeliceNode node = builder.start()) {
            assertThat(metadataFrom(inside)).contains("at 127.0.0.1:" + inside).doesNotContain("broker.example.org");
            assertThat(metadataFrom(outside)).contains("at broker.example.org:4711");
            assertThat(node.bootstrap()).isEqualTo("127.0.0.1:" + inside);
        }
    }

    private static String metadataFrom(int port) {
        return Programs.run(List.of("kcat", "-L", "-b", "127.0.0.1:" + port), Path.of("."));
    }
}
