package io.felice.itests.cluster;

import io.felice.itests.rig.ClusterOfProcesses.Shape;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** As {@link HistoriesTest}, with five brokers, of which each partition has three. */
class FiveBrokersTest {
    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void whatClientsWerePromisedSurvives() {
        try (ClusterUnderLoad loaded = new ClusterUnderLoad(new Shape(5, 3, true, 0), "log")) {
            loaded.after(Mishap.TWO_KILLED);
            loaded.after(Mishap.LEADER_ISOLATED);
            loaded.after(Mishap.CONTROLLER_CUT_FROM_ZOOKEEPER);
            loaded.after(Mishap.ZOOKEEPER_MEMBERS_KILLED);
            loaded.compareAll();
        }
    }
}
