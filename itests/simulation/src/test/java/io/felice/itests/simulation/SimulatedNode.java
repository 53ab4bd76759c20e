package io.felice.itests.simulation;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.Admin.PartitionId;
import io.felice.api.cluster.BrokerRegistration.LastEnd;
import io.felice.api.cluster.PartitionState;
import io.felice.api.group.Groups;
import io.felice.api.storage.StorageEngine;
import io.felice.broker.BrokerSeat;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.engine.SimulatedMount;
import io.felice.broker.partition.Environment;
import io.felice.controller.Controller;
import io.felice.controller.ControllerSeat;
import io.felice.coordinator.CoordinatorSeat;
import io.felice.itests.simulation.Timeline.Life;
import io.felice.testkit.MemoryClusterStore;
import io.felice.testkit.RefusingAdmin;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** A node of the simulated cluster: its disk and its clock, and the broker that runs on it now, or none. */
final class SimulatedNode {
    private static final long EPOCH_MS = 1_700_000_000_000L;
    private static final long ADMIN_PATIENCE = 1_000 * Timeline.MS;
    private static final String ENGINE = "log";

    private final int id;
    private final ClusterSimulation cluster;
    private final Timeline timeline;
    private final Random random;
    private final SimulatedDisk disk;
    private final Path root;
    private UUID storeId;
    private long runs;
    private long clockOffsetMs;
    /** What the broker has noted of its last run, as the real one does: whether it has closed its logs, and the boot. */
    private boolean isClosed = true;

    /** True once this run has begun to change the logs. */
    private boolean hasBegun;

    private int bootOfRun;
    /** Grows with every power cut. */
    private int boot;
    /** The longest wait of a task of the broker's thread. */
    private long mainDelay;

    // The present run; null while there is none.
    private Life life;
    private BrokerSeat seat;
    private Controller controller;
    private SimulatedSession session;
    private Fetcher fetcher;
    private Groups groups;
    private MemoryClusterStore lastSession;
    /**
     * The partitions whose records this node may have lost, with the run that lost them. A node that was out of sync counts
     * too: its leader may still ask the controller to let the run that has ended join.
     */
    private final Map<TopicPartition, Long> lost = new HashMap<>();

    SimulatedNode(int id, ClusterSimulation cluster, SimulatedDisk disk, Path root, Random random) {
        this.id = id;
        this.cluster = cluster;
        this.timeline = cluster.timeline();
        this.disk = disk;
        this.root = root;
        this.random = random;
        this.storeId = new UUID(random.nextLong(), id);
        this.mainDelay = cluster.pace().broker();
    }

    int id() {
        return id;
    }

    SimulatedDisk disk() {
        return disk;
    }

    boolean isUp() {
        return life != null;
    }

    boolean isPaused() {
        return life != null && life.isPaused();
    }

    /** Null while no broker runs. */
    Life life() {
        return life;
    }

    BrokerSeat seat() {
        return seat;
    }

    Controller controller() {
        return controller;
    }

    /** The coordinator of this run. */
    Groups groups() {
        return groups;
    }

    SimulatedSession session() {
        return session;
    }

    /** True if the node may have lost records of the partition, and the controller cannot know of it yet. */
    boolean hasLost(TopicPartition partition) {
        return lost.containsKey(partition);
    }

    /** The controller knows this run: whatever was lost before it, the in-sync sets are decided on that. */
    void registered(UUID incarnation) {
        lost.values().removeIf(run -> run < incarnation.getMostSignificantBits());
    }

    private void lose(TopicPartition partition) {
        lost.put(partition, runs);
    }

    // ---- runs

    void start() {
        life = new Life();
        Life now = life;
        runs++;
        hasBegun = false;
        if (lastSession != null) {
            lastSession.expire();
        }
        MemoryClusterStore mine = cluster.store().session();
        lastSession = mine;
        LastEnd before = isClosed ? LastEnd.STOPPED : bootOfRun == boot ? LastEnd.KILLED : LastEnd.POWER_LOST;
        session = new SimulatedSession(mine, timeline, now, cluster.seams(), cluster.truth()::view);
        SimulatedTimer timer = new SimulatedTimer(timeline, now, () -> 0);
        Lane main = new Lane(timeline, now, () -> delay(mainDelay));
        Lane background = new Lane(timeline, now, () -> delay(Timeline.MS));
        Environment environment =
                new Environment(id, new NodeClock(), timeline::now, timer, background, new Random(random.nextLong()));
        StorageEngine engine = disk.engine(now, cluster.seams());
        Lane[] pool = {
            new Lane(timeline, now, () -> delay(Timeline.MS)), new Lane(timeline, now, () -> delay(Timeline.MS))
        };
        MountedEngine mounted = SimulatedMount.of(
                ENGINE,
                engine,
                task -> {
                    if (disk.isAtOnce()) {
                        task.run();
                    } else {
                        pool[random.nextInt(pool.length)].execute(task);
                    }
                },
                timer,
                timeline::now);
        try {
            seat = new BrokerSeat(
                    environment,
                    main,
                    root,
                    storeId,
                    new UUID(runs, random.nextLong()),
                    runs,
                    ClusterSimulation.BROKER_SETTINGS,
                    mounted,
                    remoteController(),
                    before,
                    this::begun);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        fetcher = new Fetcher(cluster, this, now, random);
        seat.listen(fetcher);
        groups = CoordinatorSeat.groups(
                cluster.seams().coordinated(seat.partitions()),
                seat.metadata(),
                seat.configs(),
                new NodeClock(),
                timeline::now,
                timer,
                new SimulatedTimer(timeline, now, () -> delay(cluster.pace().broker())),
                new Random(random.nextLong()));
        Lane thread = new Lane(timeline, now, () -> delay(cluster.pace().controller()));
        controller = ControllerSeat.controller(
                thread,
                (nanos, task) -> timeline.after(now, nanos, () -> thread.execute(task)),
                new Random(random.nextLong()),
                30);
        controller.bind(session);
        seat.bind(session);
        BrokerSeat ticking = seat;
        timer.scheduleWithFixedDelay(ticking::tick, 100 + random.nextInt(100), 200, TimeUnit.MILLISECONDS);
        timer.scheduleWithFixedDelay(ticking::checkpoint, 500, 1_000, TimeUnit.MILLISECONDS);
        timer.scheduleWithFixedDelay(() -> compact(ticking), 200 + random.nextInt(1_000), 1_000, TimeUnit.MILLISECONDS);
    }

    /** A whole run of compaction happens at once. */
    private void compact(BrokerSeat running) {
        for (TopicPartition partition : cluster.partitions()) {
            if (cluster.isCompacted(partition)) {
                cluster.look(partition);
                disk.atOnce(true);
                try {
                    if (running.compact(partition)) {
                        cluster.compacted(this, partition);
                    }
                } finally {
                    disk.atOnce(false);
                }
            }
        }
    }

    private void begun() {
        hasBegun = true;
        isClosed = false;
        bootOfRun = boot;
    }

    private long delay(long most) {
        return (long) (random.nextDouble() * most);
    }

    /** The process is gone. */
    void kill(boolean isKnownAtOnce, long sessionTimeout) {
        end(isKnownAtOnce, sessionTimeout);
        disk.kill();
        noteLoss();
    }

    /** The records are gone, or soon will be, if the engine does not keep them. */
    private void noteLoss() {
        if (!disk.survivesKill()) {
            cluster.partitions().forEach(this::lose);
        }
    }

    /** The machine has no power: what was not flushed may be gone. An engine that is stopped flushes before. */
    void losePower(long sessionTimeout) {
        boot++;
        if (isUp()) {
            end(false, sessionTimeout);
        }
        if (isClosed) {
            return;
        }
        disk.losePower();
        cluster.partitions().stream()
                .filter(partition -> !disk.survivesPowerLoss() || !cluster.isFlushed(partition))
                .forEach(this::lose);
    }

    private void end(boolean isKnownAtOnce, long sessionTimeout) {
        life.end();
        session.session().disconnect();
        MemoryClusterStore gone = session.session();
        if (isKnownAtOnce) {
            gone.expire();
        } else {
            timeline.after(null, sessionTimeout, gone::expire);
        }
        life = null;
        seat = null;
        controller = null;
        session = null;
        fetcher = null;
        groups = null;
    }

    /** The disk is replaced by an empty one. The broker must be down. */
    void loseDisk() {
        disk.empty();
        cluster.partitions().forEach(this::lose);
        storeId = new UUID(random.nextLong(), id);
        deleteAll(root);
    }

    private static void deleteAll(Path directory) {
        try {
            if (!Files.exists(directory)) {
                return;
            }
            try (var files = Files.walk(directory)) {
                for (Path file :
                        files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** The broker stops as an operator stops it. */
    void stop(long patience, Runnable stopped) {
        Life stopping = life;
        BrokerSeat closing = seat;
        noteLoss();
        closing.view().broker(id).ifPresent(live -> remoteController().leave(id, live.epoch()));
        timeline.after(stopping, patience, () -> closing.close()
                .whenComplete((done, failure) -> timeline.after(stopping, 1, () -> {
                    end(true, 0);
                    isClosed |= hasBegun;
                    disk.flush();
                    if (!disk.survivesKill()) {
                        disk.kill();
                        noteLoss();
                    }
                    stopped.run();
                })));
    }

    void pause(long sessionTimeout) {
        life.pause();
        cutFromStore(sessionTimeout);
    }

    void resume() {
        timeline.resume(life);
        session.session().reconnect();
    }

    /** The session with the store breaks, and ends if it is not mended before the time-out. */
    void cutFromStore(long sessionTimeout) {
        MemoryClusterStore cutOff = session.session();
        cutOff.disconnect();
        timeline.after(null, sessionTimeout, () -> {
            if (!cutOff.isConnected()) {
                cutOff.expire();
            }
        });
    }

    void mendStore() {
        if (isUp() && !isPaused()) {
            session.session().reconnect();
        }
    }

    void jumpClock(long ms) {
        clockOffsetMs += ms;
    }

    void mainDelay(long nanos) {
        mainDelay = nanos;
    }

    private final class NodeClock extends Clock {
        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return Instant.ofEpochMilli(EPOCH_MS + timeline.now() / Timeline.MS + clockOffsetMs);
        }
    }

    // ---- the controller, on whichever node it is

    /** As this broker reaches the controller: by messages that may be lost, doubled and late. */
    private Admin remoteController() {
        Life mine = life;
        SimulatedSession through = session;
        return new RefusingAdmin("a broker of the simulation") {
            @Override
            public CompletionStage<Decided<PartitionId, PartitionState>> alterInSync(
                    int brokerId, long brokerEpoch, Map<PartitionId, InSyncChange> changes) {
                return SimulatedNode.this.alterInSync(mine, through, brokerEpoch, changes);
            }

            @Override
            public CompletionStage<Decided<Integer, Integer>> leave(int brokerId, long brokerEpoch) {
                return forwarded(mine, through, admin -> admin.leave(brokerId, brokerEpoch));
            }
        };
    }

    private CompletionStage<Admin.Decided<PartitionId, PartitionState>> alterInSync(
            Life mine, SimulatedSession through, long epoch, Map<PartitionId, InSyncChange> changes) {
        CompletionStage<Admin.Decided<PartitionId, PartitionState>> answer = forwarded(
                mine,
                through,
                admin -> admin.alterInSync(id, epoch, cluster.seams().proposed(changes)));
        return cluster.seams().answered(changes, answer);
    }

    private interface Call<T> {
        CompletionStage<T> on(Admin admin);
    }

    private <T> CompletionStage<T> forwarded(Life mine, SimulatedSession through, Call<T> call) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        Optional<Integer> target = through.controllerId();
        if (target.isEmpty()) {
            answer.completeExceptionally(ErrorCode.COORDINATOR_NOT_AVAILABLE.because("No controller is known"));
            return answer;
        }
        timeline.after(
                mine,
                cluster.seams().adminPatience(ADMIN_PATIENCE),
                () -> answer.completeExceptionally(ErrorCode.REQUEST_TIMED_OUT.because("The controller is silent")));
        int to = target.get();
        Runnable send = () -> cluster.network().send(id, to, () -> {
            Admin admin = cluster.node(to).controller();
            if (admin != null) {
                call.on(admin)
                        .whenComplete((value, failure) -> cluster.network().send(to, id, () -> {
                            if (mine.isDead()) {
                                return;
                            }
                            if (failure == null) {
                                answer.complete(value);
                            } else {
                                answer.completeExceptionally(FeliceException.unwrap(failure));
                            }
                        }));
            }
        });
        long delay = cluster.seams().adminDelay();
        if (delay == 0) {
            send.run();
        } else {
            timeline.after(mine, delay, send);
        }
        return answer;
    }
}
