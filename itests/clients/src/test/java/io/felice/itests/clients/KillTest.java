package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.NodeProcess;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills a node with kill -9 at random times while an idempotent producer writes and a consumer commits. Every
 * acknowledged record is there once and in order, and committed offsets never go back.
 */
class KillTest {
    private static final int KILLS = Integer.getInteger("felice.kills", 25);
    private static final int LONGEST_LIFE_MS = 600;

    @TempDir
    Path directory;

    private final long seed = Long.getLong("felice.seed", System.nanoTime());
    private final Random random = new Random(seed);

    @Test
    @Timeout(1200)
    void noAcknowledgedRecordIsLostWhenANodeIsKilledRepeatedly() {
        System.out.println("KillTest felice.seed=" + seed);
        try (NodeProcess node = NodeProcess.in(directory.resolve("node"))) {
            node.start();
            try (SteadyLoad load = SteadyLoad.on(node.bootstrap())) {
                load.mustBeUnderWay();
                long began = System.nanoTime();
                for (int kill = 1; kill <= KILLS; kill++) {
                    sleep(random.nextInt(LONGEST_LIFE_MS));
                    node.kill();
                    load.holdCommits();
                    if (random.nextInt(5) == 0) {
                        node.launch();
                        sleep(random.nextInt(2 * LONGEST_LIFE_MS));
                        node.kill();
                    }
                    node.start();
                    load.mustGoOn("kill " + kill + ", seed " + seed);
                }
                System.out.printf(
                        "%d kills in %d s, %d records acknowledged, %d commits%n",
                        KILLS, (System.nanoTime() - began) / 1_000_000_000, load.acknowledged(), load.commits());
                load.stopAndVerify();
                assertThat(load.acknowledged()).isGreaterThan(10L * KILLS);
                assertThat(load.commits()).isGreaterThan(KILLS);
            }
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }
}
