package io.felice.itests.simulation;

import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.InternalTopics;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.storage.LogId;
import io.felice.broker.BrokerSeat.OpenReplica;
import io.felice.broker.partition.LeaderPartition;
import io.felice.controller.Controller;
import io.felice.itests.simulation.SimulatedDisk.Promise;
import io.felice.itests.simulation.SimulatedDisk.StoredBatch;
import io.felice.itests.simulation.SimulatedDisk.StoredLog;
import io.felice.testkit.MemoryClusterStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystem;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A cluster in one thread: the broker's and the controller's own classes on simulated disks, clocks, threads and
 * connections. A seed and a list of faults make one history.
 */
final class ClusterSimulation {
    static final int STEPS = 300;
    static final int FAULTS = 12;
    static final Map<String, String> BROKER_SETTINGS = Map.of("replica.lag.time.max.ms", "700");
    private static final long STEP = 40 * Timeline.MS;
    private static final long SESSION_TIMEOUT = 500 * Timeline.MS;
    private static final long MOST_RECOVERY = 240_000 * Timeline.MS;
    private static final String SAFE = "safe";
    private static final String LOOSE = "loose";
    private static final TopicPartition OFFSETS = new TopicPartition(InternalTopics.CONSUMER_OFFSETS, 0);
    /** The partitions of groups' offsets come to these: four of them forbid unclean elections. */
    private static final int SAFE_PARTITIONS = 3;

    private static final List<String> GROUPS = List.of("readers", "others");
    private static final int REPLICAS = 3;
    private static final int MIN_IN_SYNC = 2;

    private final long seed;
    private final List<Fault> faults;
    private final Seams seams;
    private final Pace pace;
    private final Timeline timeline = new Timeline();
    private final MemoryClusterStore store = new MemoryClusterStore(Runnable::run);
    private final FileSystem files = Jimfs.newFileSystem(Configuration.unix());
    private final List<SimulatedNode> nodes = new ArrayList<>();
    private final Network network;
    private final MetadataTruth truth;
    private final Map<TopicPartition, Committed> committed = new LinkedHashMap<>();
    private final List<SimulatedProducer> producers = new ArrayList<>();
    private final List<SimulatedReader> readers = new ArrayList<>();
    private final CommittedOffsets offsets = new CommittedOffsets();
    private final List<SimulatedGroup> groups = new ArrayList<>();
    /** True if the topics that forbid unclean elections keep what is acknowledged over a power cut. */
    private final boolean isPowerSafe;

    private final Random clients;
    private final List<String> history = new ArrayList<>();
    private final Counts counts = new Counts();
    private int step;
    private Throwable broken;

    /** How slow the parts of a cluster are: the longest delays in nanoseconds, and the most bytes of a fetch. */
    record Pace(long network, long controller, long broker, long disk, int fetchBytes) {
        static Pace random(Random random) {
            return new Pace(
                    one(random, 2, 25, 80),
                    one(random, 1, 20, 100),
                    one(random, 1, 10, 50),
                    one(random, 0, 0, 30),
                    random.nextBoolean() ? 400 : 4_000);
        }

        private static long one(Random random, long... ms) {
            return ms[random.nextInt(ms.length)] * Timeline.MS;
        }
    }

    /** What a history had. */
    static final class Counts {
        int faults;
        int skipped;
        int elections;
        int unclean;
        int inSyncChanges;
        long batches;
        long acknowledged;
        long read;
        long offsetsCommitted;
        long offsetsFetched;
        long compactions;
        long tasks;
        long metadata;
        long recoveryMs;

        void add(Counts other) {
            faults += other.faults;
            skipped += other.skipped;
            elections += other.elections;
            unclean += other.unclean;
            inSyncChanges += other.inSyncChanges;
            batches += other.batches;
            acknowledged += other.acknowledged;
            read += other.read;
            offsetsCommitted += other.offsetsCommitted;
            offsetsFetched += other.offsetsFetched;
            compactions += other.compactions;
            tasks += other.tasks;
            metadata += other.metadata;
            recoveryMs = Math.max(recoveryMs, other.recoveryMs);
        }
    }

    ClusterSimulation(long seed, List<Fault> faults, Seams seams) {
        this.seed = seed;
        this.faults = faults;
        this.seams = seams;
        seams.simulation = this;
        Random random = new Random(seed);
        int size = nodesOf(seed);
        pace = seams.pace(Pace.random(random));
        network = new Network(timeline, new Random(random.nextLong()), this::lifeOf, pace.network());
        clients = new Random(random.nextLong());
        truth = new MetadataTruth(store.session(), new Changes());
        for (int i = 0; i < size; i++) {
            Promise promise = seams.promise(promise(random));
            SimulatedDisk disk = new SimulatedDisk(
                    timeline, new Random(random.nextLong()), promise, random.nextInt(6) != 0, random.nextInt(4) != 0);
            disk.latency(pace.disk());
            nodes.add(new SimulatedNode(i, this, disk, files.getPath("/broker-" + i), new Random(random.nextLong())));
        }
        isPowerSafe = nodes.stream().allMatch(node -> node.disk().survivesPowerLoss()) && random.nextInt(4) != 0;
    }

    static int nodesOf(long seed) {
        return 3 + (int) Math.floorMod(seed, 3L);
    }

    static List<Fault> faultsOf(long seed) {
        return Fault.random(new Random(seed ^ 0x5DEECE66DL), nodesOf(seed), STEPS, FAULTS);
    }

    private static Promise promise(Random random) {
        return switch (random.nextInt(5)) {
            case 0 -> Promise.KEEPS_NOTHING;
            case 1 -> Promise.KEEPS_ALL;
            default -> Promise.KEEPS_SETTLED;
        };
    }

    private Timeline.Life lifeOf(int id) {
        return nodes.get(id).life();
    }

    // ---- what the parts need

    Timeline timeline() {
        return timeline;
    }

    MemoryClusterStore store() {
        return store;
    }

    Network network() {
        return network;
    }

    Seams seams() {
        return seams;
    }

    Pace pace() {
        return pace;
    }

    MetadataTruth truth() {
        return truth;
    }

    int size() {
        return nodes.size();
    }

    SimulatedNode node(int id) {
        return nodes.get(id);
    }

    Committed committed(TopicPartition partition) {
        return committed.get(partition);
    }

    Set<TopicPartition> partitions() {
        return committed.keySet();
    }

    Counts counts() {
        return counts;
    }

    /** True if acknowledged records of the partition are flushed. */
    boolean isFlushed(TopicPartition partition) {
        return isPowerSafe && !partition.topic().equals(LOOSE);
    }

    List<String> history() {
        return history;
    }

    private void tell(String what) {
        history.add("step " + step + " (" + timeline.now() / Timeline.MS + " ms): " + what);
    }

    void violated(Throwable violation) {
        if (broken == null) {
            broken = violation;
            tell("VIOLATION " + violation);
        }
    }

    // ---- one history

    /** @throws Violation if an invariant does not hold */
    void run() {
        Thread thread = Thread.currentThread();
        Thread.UncaughtExceptionHandler before = thread.getUncaughtExceptionHandler();
        thread.setUncaughtExceptionHandler((same, failure) -> violated(failure));
        try {
            begin();
            for (step = 0; step < STEPS; step++) {
                for (Fault fault : faults) {
                    if (fault.step() == step) {
                        make(fault);
                    }
                }
                clientsGoOn();
                pass(STEP);
            }
            recover();
        } catch (Violation violation) {
            violated(violation);
        } finally {
            thread.setUncaughtExceptionHandler(before instanceof ThreadGroup ? null : before);
            count();
            close();
        }
        if (broken instanceof Violation violation) {
            throw violation;
        } else if (broken != null) {
            throw new IllegalStateException("A task failed: " + broken, broken);
        }
    }

    private void close() {
        try {
            files.close();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private void count() {
        committed.values().forEach(one -> {
            counts.batches += one.batches().size();
            counts.acknowledged += one.acknowledged();
        });
        readers.forEach(reader -> counts.read += reader.batchesRead());
        groups.forEach(group -> {
            counts.offsetsCommitted += group.committed();
            counts.offsetsFetched += group.fetched();
        });
        counts.tasks = timeline.ran();
        counts.metadata = truth.view().version();
    }

    private void begin() {
        tell(nodes.size() + " brokers, " + pace + ", kills leave "
                + nodes.stream().map(node -> node.disk().promise().toString()).toList());
        nodes.forEach(SimulatedNode::start);
        for (int i = 0; i < 100 && truth.view().brokers().size() < nodes.size(); i++) {
            pass(STEP);
        }
        Map<String, String> safe = new LinkedHashMap<>(Map.of("min.insync.replicas", "" + MIN_IN_SYNC));
        if (isPowerSafe) {
            safe.put("storage.durability", "power");
        }
        create(SAFE, SAFE_PARTITIONS, REPLICAS, safe);
        Map<String, String> compacted = new LinkedHashMap<>(safe);
        compacted.put("cleanup.policy", "compact");
        compacted.put("min.cleanable.dirty.ratio", "0.01");
        create(OFFSETS.topic(), 1, REPLICAS, compacted);
        create(LOOSE, 1, 2, Map.of("unclean.leader.election.enable", "true", "min.insync.replicas", "1"));
        for (int i = 0; i < 100 && truth.view().topics().size() < 3; i++) {
            pass(STEP);
        }
        if (truth.view().topics().size() < 3) {
            throw new IllegalStateException("The topics were not made: " + history);
        }
        int name = 0;
        GROUPS.forEach(group -> groups.add(new SimulatedGroup(this, group, new TopicPartition(SAFE, 0), clients)));
        for (TopicPartition partition : partitions()) {
            if (partition.equals(OFFSETS)) {
                continue;
            }
            boolean isSafe = partition.topic().equals(SAFE);
            producers.add(
                    new SimulatedProducer(this, partition, clients, name++, isSafe ? Acks.ALL : Acks.LEADER, true));
            producers.add(new SimulatedProducer(
                    this,
                    partition,
                    clients,
                    name++,
                    clients.nextBoolean() ? Acks.ALL : Acks.LEADER,
                    clients.nextBoolean()));
            readers.add(new SimulatedReader(this, partition, clients));
        }
        pass(10 * STEP);
    }

    private void create(String topic, int partitions, int replicas, Map<String, String> configs) {
        for (int p = 0; p < partitions; p++) {
            committed.put(
                    new TopicPartition(topic, p), new Committed(new TopicPartition(topic, p), topic.equals(LOOSE)));
        }
        Map<Integer, List<Integer>> assignments = new LinkedHashMap<>();
        for (int p = 0; p < partitions; p++) {
            List<Integer> assigned = new ArrayList<>();
            for (int r = 0; r < replicas; r++) {
                assigned.add((p + r) % nodes.size());
            }
            assignments.put(p, assigned);
        }
        int controller = store.controllerId().orElseThrow();
        nodes.get(controller)
                .controller()
                .createTopics(List.of(new NewTopic(topic, -1, -1, assignments, configs)), false)
                .whenComplete((done, failure) -> {
                    if (failure != null || done.outcomes().values().stream().anyMatch(one -> one.isFailed())) {
                        violated(new IllegalStateException("topic " + topic + " was refused: " + done + failure));
                    }
                });
    }

    private void clientsGoOn() {
        for (SimulatedProducer producer : producers) {
            if (clients.nextInt(2) == 0) {
                producer.produce();
            }
        }
        for (SimulatedReader reader : readers) {
            if (clients.nextInt(4) == 0) {
                reader.read();
            }
        }
        for (SimulatedGroup group : groups) {
            if (clients.nextInt(4) == 0) {
                group.goOn();
            }
        }
    }

    private void pass(long nanos) {
        timeline.runUntil(timeline.now() + nanos);
        look();
        if (broken != null) {
            throw broken instanceof Violation violation ? violation : new Violation("a task failed: " + broken);
        }
    }

    // ---- invariants

    private final class Changes implements MetadataTruth.Changes {
        @Override
        public void changed(TopicPartition partition, PartitionState before, PartitionState after) {
            note(partition, before, after);
        }

        @Override
        public void registered(int broker, UUID incarnation) {
            nodes.get(broker).registered(incarnation);
        }
    }

    private void note(TopicPartition partition, PartitionState before, PartitionState after) {
        boolean isElection = before != null && after.leaderEpoch() > before.leaderEpoch();
        counts.elections += isElection ? 1 : 0;
        counts.unclean += isElection && after.recovering() ? 1 : 0;
        counts.inSyncChanges += before != null && !before.isr().equals(after.isr()) ? 1 : 0;
        tell(partition + " leader " + after.leader() + " epoch " + after.leaderEpoch() + "." + after.partitionEpoch()
                + " isr " + after.isr() + (after.eligible().isEmpty() ? "" : " eligible " + after.eligible())
                + (after.isBeingReassigned()
                        ? " of " + after.replicas() + " moves to those but " + after.removing()
                        : "")
                + (after.recovering() ? " recovering" : ""));
        boolean isUnprotected = before != null
                && Stream.concat(before.isr().stream(), before.eligible().stream())
                        .allMatch(id -> nodes.get(id).hasLost(partition));
        if (isUnprotected) {
            committed.get(partition).mayBecomeUnclean();
        }
        committed.get(partition).changed(before, after);
    }

    private void look() {
        for (SimulatedNode node : nodes) {
            if (node.isUp()) {
                look(node, null);
                truth.compare(node.id(), node.seat().view());
            }
        }
        for (SimulatedNode node : nodes) {
            if (node.isUp() && !node.isPaused()) {
                lookAtGroups(node);
            }
        }
    }

    /** What the coordinator has in memory is what a replay of the committed records gives. */
    private void lookAtGroups(SimulatedNode node) {
        PartitionState now = truth.state(OFFSETS);
        if (now == null || now.leader() != node.id() || committed.get(OFFSETS).wasUnclean()) {
            return;
        }
        for (OpenReplica replica : node.seat().open(OFFSETS)) {
            if (replica.role() instanceof LeaderPartition leader
                    && leader.isLeading()
                    && leader.leaderEpoch() == now.leaderEpoch()) {
                offsets.follow(committed.get(OFFSETS));
                String who = "Broker " + node.id() + " in epoch " + now.leaderEpoch();
                GROUPS.forEach(group -> offsets.compare(
                        who,
                        group,
                        node.groups(),
                        replica.highWatermark(),
                        committed.get(OFFSETS).end()));
            }
        }
    }

    boolean isCompacted(TopicPartition partition) {
        return partition.equals(OFFSETS);
    }

    /** A broker has compacted its log of groups' offsets, which has the same offsets as before. */
    void compacted(SimulatedNode node, TopicPartition partition) {
        StoredLog log = logOf(node, partition);
        Committed all = committed.get(partition);
        if (log == null) {
            return;
        }
        counts.compactions++;
        all.compacted(log.compactedTo());
        long committedHere = node.seat().open(partition).stream()
                .mapToLong(OpenReplica::highWatermark)
                .max()
                .orElse(-1);
        if (committedHere >= all.compactedTo() && !all.wasUnclean()) {
            try {
                CommittedOffsets.compare("Broker " + node.id(), all, log, committedHere);
            } catch (Violation violation) {
                violated(violation);
            }
        }
    }

    /** A coordinator has answered that an offset is committed. */
    void committedOffset(String group, TopicPartition partition, long offset) {
        look(OFFSETS);
        Committed log = committed.get(OFFSETS);
        if (log.wasUnclean()) {
            return;
        }
        try {
            offsets.follow(log);
            if (!offsets.had(group, partition, offset)) {
                lookAtDisks(OFFSETS, -1);
                offsets.follow(log);
            }
            offsets.mustHaveHad(group, partition, offset);
        } catch (Violation violation) {
            violated(violation);
        }
    }

    /** The broker that leads the offsets of groups, if it knows that it does. */
    boolean isPresentCoordinator(SimulatedNode node) {
        return node.seat() != null
                && !committed.get(OFFSETS).wasUnclean()
                && node.seat().open(OFFSETS).stream()
                        .anyMatch(open -> open.role() instanceof LeaderPartition leader
                                && leader.isLeading()
                                && isPresentLeader(OFFSETS, node.id(), leader.leaderEpoch()));
    }

    int coordinatorAsShownBy(SimulatedNode asked) {
        return leaderAsShownBy(asked, OFFSETS);
    }

    /** The broker itself if it knows no leader. */
    private int leaderAsShownBy(SimulatedNode asked, TopicPartition partition) {
        return asked.seat() == null
                ? asked.id()
                : asked.seat()
                        .view()
                        .topic(partition.topic())
                        .flatMap(topic -> topic.partition(partition.partition()))
                        .map(PartitionState::leader)
                        .filter(id -> id >= 0)
                        .orElse(asked.id());
    }

    /** @param only null for all partitions */
    private void look(SimulatedNode node, TopicPartition only) {
        for (OpenReplica replica :
                only == null ? node.seat().open() : node.seat().open(only)) {
            TopicPartition partition = replica.partition();
            PartitionState now = truth.state(partition);
            StoredLog log = logOf(node, partition, replica.topicId());
            committed.get(partition).look(node.id(), node.life(), replica, log, now);
            if (replica.role() instanceof LeaderPartition leader && leader.isLeading()) {
                compareWithInSync(node, leader, replica, now);
            }
        }
    }

    private void compareWithInSync(
            SimulatedNode node, LeaderPartition leader, OpenReplica replica, PartitionState now) {
        TopicPartition partition = replica.partition();
        if (committed.get(partition).wasUnclean()) {
            return;
        }
        boolean isPresent = leader.leaderEpoch() == now.leaderEpoch() && now.leader() == node.id();
        for (int other : now.replicas()) {
            SimulatedNode follower = nodes.get(other);
            boolean mayLead = isPresent
                    ? now.isr().contains(other) || now.eligible().contains(other)
                    : now.isr().contains(other) && leader.inSync().state().isr().contains(other);
            if (mayLead && !follower.hasLost(partition)) {
                StoredLog log = logOf(follower, partition, replica.topicId());
                long kept = log == null ? 0 : isFlushed(partition) ? log.flushed() : log.settled();
                if (replica.highWatermark() > kept) {
                    tell(leader.inSync() + "; the truth is " + now + "; broker " + other + " ends at "
                            + (log == null ? "none" : log.end() + ", settled " + log.settled()));
                }
                committed.get(partition).mustBeBelow(node.id(), replica.highWatermark(), other, kept);
            }
        }
    }

    private static StoredLog logOf(SimulatedNode node, TopicPartition partition, UUID topicId) {
        return node.disk().log(new LogId(topicId, partition.partition(), partition.topic()));
    }

    private StoredLog logOf(SimulatedNode node, TopicPartition partition) {
        return truth.view()
                .topic(partition.topic())
                .map(topic -> logOf(node, partition, topic.topicId()))
                .orElse(null);
    }

    /**
     * What all in-sync replicas have settled is committed.
     *
     * @param base looks for the batch with this offset only; -1 for all
     */
    private void lookAtDisks(TopicPartition partition, long base) {
        PartitionState state = truth.state(partition);
        List<StoredLog> inSync =
                state.isr().stream().map(id -> logOf(nodes.get(id), partition)).toList();
        if (base < 0 && inSync.stream().noneMatch(log -> log == null)) {
            long all = inSync.stream().mapToLong(StoredLog::settled).min().orElse(0);
            committed.get(partition).settledByAll(inSync.get(0), all - 1);
        } else if (inSync.stream().allMatch(log -> log != null && log.settled() > base)) {
            committed.get(partition).settledByAll(inSync.get(0), base);
        }
    }

    /** A leader has answered a producer with acks=all. */
    void promised(TopicPartition partition, long base, long crc, int leaderEpoch, String what) {
        try {
            nodes.stream().filter(SimulatedNode::isUp).forEach(node -> look(node, partition));
            if (!committed.get(partition).reaches(base)) {
                // A leader that closes its log answers what the last settle has committed, and is not looked at any
                // more.
                lookAtDisks(partition, base);
            }
            committed.get(partition).acknowledged(base, crc, leaderEpoch, what);
        } catch (Violation violation) {
            violated(violation);
        }
    }

    /** A leader that was deposed and does not know of it yet may not know the newest batches of a producer. */
    boolean isPresentLeader(TopicPartition partition, int broker, int epoch) {
        PartitionState state = truth.state(partition);
        return state.leader() == broker && state.leaderEpoch() == epoch;
    }

    /** What a broker is about to answer a consumer is looked at before the broker can die. */
    void look(TopicPartition partition) {
        try {
            nodes.stream().filter(SimulatedNode::isUp).forEach(node -> look(node, partition));
        } catch (Violation violation) {
            violated(violation);
        }
    }

    void read(TopicPartition partition, StoredBatch batch) {
        try {
            committed.get(partition).read(batch, batch.epoch());
        } catch (Violation violation) {
            violated(violation);
        }
    }

    // ---- faults

    private void make(Fault fault) {
        SimulatedNode node = nodes.get(fault.node());
        if (!isPossible(fault, node)) {
            counts.skipped++;
            return;
        }
        counts.faults++;
        tell(fault.toString());
        long nanos = fault.steps() * STEP;
        switch (fault.kind()) {
            case CRASH -> {
                node.kill(fault.amount() < 60, SESSION_TIMEOUT);
                startLater(node, nanos);
            }
            case BOUNCE -> {
                node.kill(false, SESSION_TIMEOUT);
                startLater(node, 1 + fault.amount() * Timeline.MS);
            }
            case EMPTIED_DISK -> {
                node.kill(fault.amount() < 60, SESSION_TIMEOUT);
                node.loseDisk();
                startLater(node, fault.amount() % 2 == 0 ? Timeline.MS : nanos);
            }
            case PAUSE -> {
                node.pause(SESSION_TIMEOUT);
                Timeline.Life life = node.life();
                timeline.after(null, nanos, () -> {
                    if (node.life() == life && node.isPaused()) {
                        node.resume();
                    }
                });
            }
            case CUT_ONE_WAY -> cut(fault.node(), fault.other(), nanos);
            case CUT_BOTH_WAYS -> {
                cut(fault.node(), fault.other(), nanos);
                cut(fault.other(), fault.node(), nanos);
            }
            case ISOLATE -> nodes.stream().filter(other -> other != node).forEach(other -> {
                cut(fault.node(), other.id(), nanos);
                cut(other.id(), fault.node(), nanos);
            });
            case CUT_FROM_CLIENTS -> {
                cut(fault.node(), Network.CLIENT, nanos);
                cut(Network.CLIENT, fault.node(), nanos);
            }
            case CUT_FROM_STORE -> {
                node.cutFromStore(SESSION_TIMEOUT);
                timeline.after(null, nanos, node::mendStore);
            }
            case NOISE -> {
                network.noise(fault.amount() / 400.0, fault.amount() / 300.0, (1 + fault.amount()) * 4 * Timeline.MS);
                timeline.after(null, nanos, network::calm);
            }
            case SLOW_DISK -> {
                node.disk().latency((1 + fault.amount()) * 4 * Timeline.MS);
                timeline.after(null, nanos, () -> node.disk().latency(pace.disk()));
            }
            case CLOCK_JUMP -> node.jumpClock((fault.amount() - 50) * 100_000L);
            case SLOW_BROKER -> {
                node.mainDelay((1 + fault.amount()) * 6 * Timeline.MS);
                timeline.after(null, nanos, () -> node.mainDelay(pace.broker()));
            }
            case RESTART -> node.stop(60 * Timeline.MS, () -> startLater(node, nanos));
            case OTHER_CONTROLLER -> store.deposeController();
            case EXPIRED_SESSION -> node.session().session().expire();
            case ELECT_PREFERRED -> elect(false);
            case ELECT_UNCLEAN -> elect(true);
            case POWER_LOST -> losePower(List.of(node), nanos);
            case POWER_LOST_EVERYWHERE -> losePower(nodes, nanos);
            case REASSIGN -> reassign(fault, false);
            case CANCEL_REASSIGNMENT -> reassign(fault, true);
            case LEADER_MOVED -> {
                for (int i = 0; i <= fault.amount() % 4; i++) {
                    int to = fault.node() + i;
                    timeline.after(null, i * (1 + fault.amount() / 4) * 5 * Timeline.MS, () -> moveLeader(fault, to));
                }
            }
        }
    }

    /** Nothing is promised to what is not flushed once all replicas have lost it. */
    private void losePower(List<SimulatedNode> which, long nanos) {
        if (which.size() == nodes.size()) {
            committed.forEach((partition, log) -> {
                if (!isFlushed(partition)) {
                    log.mayBecomeUnclean();
                }
            });
        }
        for (SimulatedNode node : which) {
            node.losePower(SESSION_TIMEOUT);
            startLater(node, 1 + clients.nextLong(nanos));
        }
    }

    private Optional<Controller> presentController() {
        return store.controllerId()
                .map(nodes::get)
                .filter(node -> node.isUp() && !node.isPaused())
                .map(SimulatedNode::controller);
    }

    /** One of those that forbid unclean elections. */
    private TopicPartition partitionOf(Fault fault) {
        int number = fault.amount() % (SAFE_PARTITIONS + 1);
        return number == SAFE_PARTITIONS ? OFFSETS : new TopicPartition(SAFE, number);
    }

    private void reassign(Fault fault, boolean cancels) {
        List<Integer> ids = new ArrayList<>();
        for (int i = 0; i < REPLICAS; i++) {
            ids.add((fault.node() + i * (1 + fault.amount() / 50)) % nodes.size());
        }
        boolean areDistinct = Set.copyOf(ids).size() == REPLICAS;
        Optional<List<Integer>> target = cancels || !areDistinct ? Optional.empty() : Optional.of(ids);
        presentController().ifPresent(controller -> controller.reassign(Map.of(partitionOf(fault), target)));
    }

    /** Another replica becomes the preferred leader, and is elected. */
    private void moveLeader(Fault fault, int to) {
        TopicPartition partition = partitionOf(fault);
        PartitionState state = truth.state(partition);
        if (state.isBeingReassigned()) {
            return;
        }
        List<Integer> replicas = new ArrayList<>(state.replicas());
        Collections.rotate(replicas, 1 + to % (replicas.size() - 1));
        presentController().ifPresent(controller -> {
            controller.reassign(Map.of(partition, Optional.of(replicas)));
            controller.electLeaders(Optional.of(Set.of(partition)), false);
        });
    }

    private void cut(int from, int to, long nanos) {
        network.cut(from, to);
        timeline.after(null, nanos, () -> network.heal(from, to));
    }

    private void elect(boolean unclean) {
        Set<TopicPartition> which = unclean ? Set.of(new TopicPartition(LOOSE, 0)) : new LinkedHashSet<>(partitions());
        presentController().ifPresent(controller -> controller.electLeaders(Optional.of(which), unclean));
    }

    private void startLater(SimulatedNode node, long nanos) {
        timeline.after(null, nanos, () -> {
            if (!node.isUp()) {
                node.start();
            }
        });
    }

    /**
     * The rules promise nothing once all in-sync replicas have lost their records. So a fault that takes records away from
     * a replica is made only if another one that is in sync or eligible has all that is committed.
     */
    private boolean isPossible(Fault fault, SimulatedNode node) {
        return switch (fault.kind()) {
            case CRASH, BOUNCE -> node.isUp() && (node.disk().survivesKill() || isSpare(node));
            case RESTART -> node.isUp() && !node.isPaused() && (node.disk().survivesKill() || isSpare(node));
            case EMPTIED_DISK -> node.isUp() && isSpare(node);
            case POWER_LOST -> node.isUp() && (isPowerSafe && node.disk().survivesPowerLoss() || isSpare(node));
            case PAUSE, CUT_FROM_STORE, EXPIRED_SESSION -> node.isUp() && !node.isPaused();
            case CUT_ONE_WAY,
                    CUT_BOTH_WAYS,
                    ISOLATE,
                    CUT_FROM_CLIENTS,
                    NOISE,
                    SLOW_DISK,
                    CLOCK_JUMP,
                    SLOW_BROKER,
                    OTHER_CONTROLLER,
                    ELECT_PREFERRED,
                    ELECT_UNCLEAN,
                    POWER_LOST_EVERYWHERE,
                    REASSIGN,
                    CANCEL_REASSIGNMENT,
                    LEADER_MOVED -> true;
        };
    }

    private boolean isSpare(SimulatedNode node) {
        look();
        return partitions().stream()
                .filter(partition -> !committed.get(partition).wasUnclean()
                        && !partition.topic().equals(LOOSE))
                .allMatch(partition -> isSpare(node, partition));
    }

    private boolean isSpare(SimulatedNode node, TopicPartition partition) {
        PartitionState state = truth.state(partition);
        if (!state.replicas().contains(node.id())) {
            return true;
        }
        return nodes.stream()
                .filter(other -> other != node && !other.hasLost(partition))
                .filter(other ->
                        state.isr().contains(other.id()) || state.eligible().contains(other.id()))
                .anyMatch(other -> committed.get(partition).isWhole(logOf(other, partition)));
    }

    // ---- the end of all faults

    /** All replicas get in sync again, all partitions have leaders, and the producers go on. */
    private void recover() {
        step = STEPS;
        tell("no more faults");
        network.healAll();
        for (SimulatedNode node : nodes) {
            node.disk().latency(pace.disk());
            node.mainDelay(pace.broker());
            if (!node.isUp()) {
                node.start();
            } else if (node.isPaused()) {
                node.resume();
            } else {
                node.session().session().reconnect();
            }
        }
        long begun = timeline.now();
        int[] before = producers.stream()
                .mapToInt(SimulatedProducer::acknowledgedCount)
                .toArray();
        while (!goOn(before) || !isSound()) {
            if (timeline.now() - begun > MOST_RECOVERY) {
                throw new Violation("The cluster has not recovered " + MOST_RECOVERY / Timeline.MS
                        + " ms after the last fault: " + whyNot(before));
            }
            producersGoOn(before);
            pass(STEP * 5);
        }
        readers.forEach(SimulatedReader::read);
        pass(STEP * 5);
        committed.values().forEach(one -> one.checkSequences(this::isWhole));
        counts.recoveryMs = (timeline.now() - begun) / Timeline.MS;
    }

    private boolean isWhole(long producerId) {
        return producers.stream().anyMatch(producer -> producer.has(producerId) && producer.isPromisedAll());
    }

    private void producersGoOn(int[] before) {
        for (int i = 0; i < before.length; i++) {
            if (producers.get(i).acknowledgedCount() < before[i] + 2) {
                producers.get(i).produce();
            }
        }
    }

    private boolean goOn(int[] before) {
        for (int i = 0; i < before.length; i++) {
            if (producers.get(i).acknowledgedCount() < before[i] + 2
                    || !producers.get(i).isIdle()) {
                return false;
            }
        }
        return true;
    }

    private boolean isSound() {
        return partitions().stream().allMatch(this::isSound);
    }

    private boolean isSound(TopicPartition partition) {
        PartitionState state = truth.state(partition);
        if (!state.hasLeader()
                || state.recovering()
                || state.isBeingReassigned()
                || state.isr().size() < state.replicas().size()) {
            return false;
        }
        return state.replicas().stream().allMatch(id -> {
            StoredLog log = logOf(nodes.get(id), partition);
            return log != null
                    && log.end() == committed.get(partition).end()
                    && committed.get(partition).isWhole(log);
        });
    }

    private String whyNot(int[] before) {
        StringBuilder why = new StringBuilder();
        for (TopicPartition partition : partitions()) {
            if (!isSound(partition)) {
                why.append("\n  ").append(partition).append(" is ").append(truth.state(partition));
                why.append(", committed below ").append(committed.get(partition).end());
                for (SimulatedNode node : nodes) {
                    StoredLog log = logOf(node, partition);
                    why.append(", broker ").append(node.id()).append(" has ").append(log == null ? "none" : log.end());
                    if (log != null) {
                        why.append(" and at its end ")
                                .append(log.batches()
                                        .subList(
                                                Math.max(0, log.batches().size() - 3),
                                                log.batches().size()));
                    }
                }
                for (SimulatedNode node : nodes) {
                    if (node.isUp()) {
                        node.seat().open().stream()
                                .filter(open ->
                                        open.partition().equals(partition) && open.role() instanceof LeaderPartition)
                                .forEach(open -> why.append("\n    led by ")
                                        .append(node.id())
                                        .append(": ")
                                        .append(((LeaderPartition) open.role()).inSync()));
                    }
                }
            }
        }
        for (int i = 0; i < before.length; i++) {
            if (producers.get(i).acknowledgedCount() < before[i] + 2) {
                why.append("\n  a producer of ")
                        .append(producers.get(i).partition())
                        .append(" does not go on");
            }
        }
        return why.append("\n  brokers: ")
                .append(truth.view().brokers().keySet())
                .toString();
    }

    @Override
    public String toString() {
        return "seed " + seed + " with " + nodes.size() + " brokers, " + pace + " and the faults " + faults;
    }
}
