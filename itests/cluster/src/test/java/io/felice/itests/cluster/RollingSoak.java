package io.felice.itests.cluster;

import io.felice.itests.rig.DistributionNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A cluster of an older version, if there is one, is upgraded broker by broker. Then each bundle of each broker is replaced by
 * itself, and a broker is killed each time. Run by {@code ./dev soak rolling}.
 */
class RollingSoak {
    private static final int ROUNDS = Integer.getInteger("felice.rounds", 1);
    private static final Optional<Path> OLDER =
            Optional.ofNullable(System.getProperty("felice.older.archive")).map(Path::of);

    @Test
    @Timeout(value = 24, unit = TimeUnit.HOURS)
    void whatClientsWerePromisedSurvivesEveryReplacement() {
        Optional<Path> older = OLDER.map(DistributionNode::unpack);
        try (DistributionsUnderLoad loaded = new DistributionsUnderLoad(older)) {
            if (older.isPresent()) {
                loaded.upgradeInTurn(DistributionNode.built());
            }
            for (int round = 0; round < ROUNDS; round++) {
                for (int broker : loaded.cluster().ids()) {
                    List<String> bundles = loaded.replaceable(broker);
                    bundles.subList(0, bundles.indexOf("io.felice.shell"))
                            .forEach(bundle -> loaded.swap(broker, List.of(bundle)));
                    loaded.swapAll(broker);
                }
                loaded.restartInTurn();
            }
            loaded.compareAll();
        }
    }
}
