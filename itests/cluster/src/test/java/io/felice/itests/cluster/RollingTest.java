package io.felice.itests.cluster;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The code of a cluster is replaced under load. {@code ./dev soak rolling} does it for longer, and from an older version. */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class RollingTest {
    private static DistributionsUnderLoad loaded;

    @BeforeAll
    static void start() {
        loaded = new DistributionsUnderLoad(Optional.empty());
    }

    @AfterAll
    static void stop() {
        try {
            loaded.compareAll();
        } finally {
            loaded.close();
        }
    }

    @Test
    void everyBundleIsReplacedOnEveryBrokerWhileOthersAreKilled() {
        for (int broker : loaded.cluster().ids()) {
            loaded.swap(broker, withoutTheShell(loaded.replaceable(broker)));
        }
    }

    @Test
    void brokersAreRestartedInTurn() {
        loaded.restartInTurn();
    }

    private static List<String> withoutTheShell(List<String> bundles) {
        return bundles.subList(0, bundles.indexOf("io.felice.shell"));
    }
}
