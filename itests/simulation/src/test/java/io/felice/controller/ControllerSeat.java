package io.felice.controller;

import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.Admin.PartitionId;
import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import java.lang.annotation.Annotation;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.random.RandomGenerator;

/** Makes a real controller whose thread is a lane of a simulation. */
public final class ControllerSeat {
    private ControllerSeat() {}

    /**
     * @param lane runs the tasks of the controller's thread
     * @param later runs a task of the lane after some nanoseconds
     * @param snapshotEvery changes of the log
     */
    public static Controller controller(
            Executor lane, BiConsumer<Long, Runnable> later, RandomGenerator random, long snapshotEvery) {
        return new Controller(new Settings(snapshotEvery), new LaneThread(lane, later), random);
    }

    // ---- single decisions, for a model of the in-sync set

    /** A decision of the controller: the view after it, and the outcome. */
    public record Decision(ClusterView view, Outcome<PartitionState> outcome) {}

    public static Decision alterInSync(
            ClusterView view, int brokerId, long brokerEpoch, PartitionId partition, InSyncChange change) {
        ControllerResult<PartitionId, PartitionState> result =
                InSync.alter(ClusterConfigs.of(view), brokerId, brokerEpoch, Map.of(partition, change));
        return new Decision(after(view, result.records()), result.outcomes().get(partition));
    }

    /** The view after the live brokers have changed. */
    public static ClusterView brokersChanged(ClusterView view, List<LiveRegistration> live) {
        return after(view, Leaders.brokersChanged(ClusterConfigs.of(view), live).records());
    }

    private static ClusterView after(ClusterView view, List<MetadataRecord> records) {
        return records.isEmpty() ? view : view.after(view.version() + 1, records);
    }

    private record LaneThread(Executor lane, BiConsumer<Long, Runnable> later) implements ControllerThread {
        @Override
        public boolean offer(Runnable task) {
            lane.execute(task);
            return true;
        }

        @Override
        public void after(Duration delay, Runnable task) {
            later.accept(delay.toNanos(), task);
        }

        @Override
        public void close() {
            // The life of the broker ends the lane.
        }
    }

    private static final class Settings implements Controller.Config {
        private final long snapshotEvery;

        Settings(long snapshotEvery) {
            this.snapshotEvery = snapshotEvery;
        }

        @Override
        public long request_timeout_ms() {
            return 2_000;
        }

        @Override
        public int requests_max() {
            return 1_000;
        }

        @Override
        public int partitions_max() {
            return 1_000;
        }

        @Override
        public int brokers_max() {
            return 100;
        }

        @Override
        public long snapshot_every_changes() {
            return snapshotEvery;
        }

        @Override
        public long snapshot_every_bytes() {
            return 1 << 20;
        }

        @Override
        public String[] topic_policies_required() {
            return new String[0];
        }

        @Override
        public int topic_policy_timeout_ms() {
            return 500;
        }

        @Override
        public Class<? extends Annotation> annotationType() {
            return Controller.Config.class;
        }
    }
}
