package io.felice.itests.cluster;

import io.felice.itests.rig.ClusterOfProcesses.Shape;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Mishaps happen to three brokers in processes of their own, one after the other, while clients go on. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class HistoriesTest {
    private static ClusterUnderLoad loaded;

    @BeforeAll
    static void start() {
        loaded = new ClusterUnderLoad(new Shape(3, 3, true, 256), "log");
    }

    @AfterAll
    static void stop() {
        try {
            loaded.compareAll();
        } finally {
            loaded.close();
        }
    }

    /** The others are in {@link FiveBrokersTest}. */
    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"TWO_KILLED", "LEADER_ISOLATED", "CONTROLLER_CUT_FROM_ZOOKEEPER", "ZOOKEEPER_MEMBERS_KILLED"})
    void whatClientsWerePromisedSurvives(Mishap mishap) {
        loaded.after(mishap);
    }
}
