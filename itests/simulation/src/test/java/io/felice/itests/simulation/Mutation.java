package io.felice.itests.simulation;

import static java.util.stream.Collectors.toMap;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.InSyncChange;
import io.felice.api.cluster.Admin.PartitionId;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.ClusterView.LiveBroker;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.MetadataRecord.PartitionChanged;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.api.partition.FollowedPartition;
import io.felice.api.partition.LeadershipListener;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.Acks;
import io.felice.api.partition.Partition.Appended;
import io.felice.api.partition.Partition.EpochEnd;
import io.felice.api.partition.Partitions;
import io.felice.api.storage.EngineTrait;
import io.felice.broker.BrokerSeat.OpenReplica;
import io.felice.broker.partition.LeaderPartition;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.WeakHashMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** A mistake that the protocol could have. It is put between the classes of the product, and a history must find it. */
record Mutation(String name, Supplier<Seams> seams) {
    /** The same cluster without the mistake. */
    Seams withoutMistake() {
        Seams mistaken = seams.get();
        return new Seams() {
            @Override
            List<Fault> faultsOf(long seed) {
                return mistaken.faultsOf(seed);
            }

            @Override
            ClusterSimulation.Pace pace(ClusterSimulation.Pace random) {
                return mistaken.pace(random);
            }

            @Override
            SimulatedDisk.Promise promise(SimulatedDisk.Promise random) {
                return mistaken.promise(random);
            }

            @Override
            long adminPatience(long usual) {
                return mistaken.adminPatience(usual);
            }

            @Override
            long adminDelay() {
                return mistaken.adminDelay();
            }
        };
    }

    /** The first seed worth trying: the histories before show nothing. */
    long firstSeed() {
        return name.contains("looks once") ? 330 : 1;
    }

    static List<Mutation> all() {
        return List.of(
                // ---- who may lead and who is in sync
                new Mutation(
                        "a new leader gets no new epoch",
                        () -> decided((before, after) ->
                                epoch(after, before == null ? after.leaderEpoch() : before.leaderEpoch()))),
                new Mutation(
                        "a leader that restarts goes on in its epoch",
                        () -> decided((before, after) -> before != null && before.leader() == after.leader()
                                ? epoch(after, before.leaderEpoch())
                                : after)),
                new Mutation("a replica out of sync is elected", () -> decided(Mutation::electedOutOfSync)),
                new Mutation(
                        "all replicas are eligible for ever",
                        () -> decided((before, after) -> eligible(
                                after,
                                after.replicas().stream()
                                        .filter(id -> !after.isr().contains(id))
                                        .toList()))),
                new Mutation(
                        "an unclean election is not declared",
                        () -> decided((before, after) -> recovering(after, false))),
                new Mutation("an unclean restart is forgotten", ForgottenRestart::new),
                new Mutation("an emptied disk is not noticed", ForgottenDisk::new),
                new Mutation("a power cut is taken for a kill", ForgottenPowerCut::new),
                new Mutation("an old controller still writes", OldController::new),
                new Mutation("the controller does not compare the broker epochs of joiners", JoinsInOldEpoch::new),
                new Mutation("a reassignment does not wait for the new replicas", MovesAtOnce::new),
                new Mutation("a replica joins before it has the records", JoinsTooEarly::new),
                new Mutation(
                        "a replica that leaves the in-sync set leaves it late",
                        () -> decided((before, after) -> before == null ? after : isr(after, union(before, after)))),
                // ---- what followers do
                new Mutation("a follower truncates to its high watermark", TruncatesToHighWatermark::new),
                new Mutation("an empty answer truncates", EmptyAnswerTruncates::new),
                new Mutation("a follower does not say its last epoch", NoLastEpoch::new),
                new Mutation("a follower acknowledges what is not durable", AcknowledgesItsEnd::new),
                new Mutation("a follower appends what an earlier leader answers", LateAnswers::new),
                new Mutation("a follower does not truncate", NeverTruncates::new),
                new Mutation("a follower looks once for where the logs diverge", ComparesOnce::new),
                // ---- what leaders do
                new Mutation("a fetch counts before the logs are compared", CountsFirst::new),
                new Mutation(
                        "acks=all is answered as acks=1",
                        () -> producing((with, leader, batch, acks) -> with.append(leader, batch, Acks.LEADER))),
                new Mutation("an append is acknowledged after its leader has resigned", ResignedAcknowledges::new),
                new Mutation("the high watermark counts what the leader has not written", SettlesLater::new),
                new Mutation("the high watermark counts what is not flushed", FlushesLater::new),
                new Mutation("a leader takes a lost answer of the controller for a refusal", LostIsRefused::new),
                // ---- what coordinators do
                new Mutation("a commit is answered after the term of its coordinator", DeadTermCommits::new),
                new Mutation("a coordinator keeps the state of an older term", KeepsOldState::new),
                new Mutation("a coordinator serves before all that it has read is committed", ServesTooEarly::new));
    }

    /** Seams for which few kinds of faults are made, in a slow cluster. */
    private static class Focused extends Seams {
        private final List<Fault.Kind> kinds;

        Focused(Fault.Kind... kinds) {
            this.kinds = List.of(kinds);
        }

        @Override
        List<Fault> faultsOf(long seed) {
            return Fault.random(
                    new Random(seed ^ 0x5DEECE66DL),
                    ClusterSimulation.nodesOf(seed),
                    ClusterSimulation.STEPS,
                    2 * ClusterSimulation.FAULTS,
                    kinds);
        }

        @Override
        ClusterSimulation.Pace pace(ClusterSimulation.Pace random) {
            return new ClusterSimulation.Pace(
                    80 * Timeline.MS, random.controller(), random.broker(), random.disk(), 400);
        }
    }

    // ---- changes of the controller

    private interface Change {
        PartitionState of(PartitionState before, PartitionState after);
    }

    private static Seams decided(Change change) {
        return new Seams() {
            @Override
            List<MetadataRecord> decided(ClusterView before, List<MetadataRecord> records) {
                return records.stream()
                        .map(record -> record instanceof PartitionChanged changed ? mutated(before, changed) : record)
                        .toList();
            }

            private MetadataRecord mutated(ClusterView view, PartitionChanged changed) {
                PartitionState before = view.topic(changed.topicId())
                        .flatMap(topic -> topic.partition(changed.partition()))
                        .orElse(null);
                return new PartitionChanged(changed.topicId(), changed.partition(), change.of(before, changed.state()));
            }
        };
    }

    private static PartitionState state(
            PartitionState of, List<Integer> isr, List<Integer> eligible, int leader, int epoch, boolean recovering) {
        return new PartitionState(
                of.replicas(),
                isr,
                eligible,
                of.adding(),
                of.removing(),
                leader,
                epoch,
                of.partitionEpoch(),
                recovering);
    }

    private static PartitionState epoch(PartitionState of, int epoch) {
        return state(of, of.isr(), of.eligible(), of.leader(), epoch, of.recovering());
    }

    private static PartitionState isr(PartitionState of, List<Integer> isr) {
        return state(of, isr, of.eligible(), of.leader(), of.leaderEpoch(), of.recovering());
    }

    private static PartitionState eligible(PartitionState of, List<Integer> eligible) {
        return state(of, of.isr(), eligible, of.leader(), of.leaderEpoch(), of.recovering());
    }

    private static PartitionState recovering(PartitionState of, boolean is) {
        return state(of, of.isr(), of.eligible(), of.leader(), of.leaderEpoch(), is);
    }

    private static List<Integer> union(PartitionState before, PartitionState after) {
        return after.replicas().stream()
                .filter(id -> after.isr().contains(id) || before.isr().contains(id))
                .toList();
    }

    private static PartitionState electedOutOfSync(PartitionState before, PartitionState after) {
        boolean isElection = before != null && after.leaderEpoch() > before.leaderEpoch() && after.hasLeader();
        Optional<Integer> other = after.replicas().stream()
                .filter(id -> !after.isr().contains(id))
                .filter(id -> id != before.leader())
                .findFirst();
        if (!isElection || other.isEmpty()) {
            return after;
        }
        return state(after, List.of(other.get()), List.of(), other.get(), after.leaderEpoch(), false);
    }

    private static final class OldController extends Focused {
        OldController() {
            super(Fault.Kind.PAUSE, Fault.Kind.CUT_FROM_STORE, Fault.Kind.OTHER_CONTROLLER, Fault.Kind.EXPIRED_SESSION);
        }

        @Override
        ClusterSimulation.Pace pace(ClusterSimulation.Pace random) {
            return new ClusterSimulation.Pace(80 * Timeline.MS, 200 * Timeline.MS, random.broker(), random.disk(), 400);
        }

        private ClusterStore.Term newest;

        @Override
        ClusterStore.Term term(ClusterStore.Term term) {
            newest = term;
            return new ClusterStore.Term() {
                @Override
                public int epoch() {
                    return term.epoch();
                }

                @Override
                public long logLength() {
                    return term.logLength();
                }

                @Override
                public CompletionStage<Long> append(List<MetadataRecord> records) {
                    return newest.append(records);
                }

                @Override
                public CompletionStage<Void> snapshot(long version, List<MetadataRecord> state) {
                    return term.snapshot(version, state);
                }
            };
        }
    }

    // ---- registrations

    private static final class ForgottenRestart extends Focused {
        ForgottenRestart() {
            super(Fault.Kind.BOUNCE, Fault.Kind.PAUSE, Fault.Kind.EXPIRED_SESSION);
        }

        @Override
        SimulatedDisk.Promise promise(SimulatedDisk.Promise random) {
            return SimulatedDisk.Promise.KEEPS_NOTHING;
        }

        @Override
        BrokerRegistration registered(BrokerRegistration broker) {
            Map<String, Set<EngineTrait>> engines = new HashMap<>();
            broker.engines().forEach((name, traits) -> {
                Set<EngineTrait> more = EnumSet.of(EngineTrait.SURVIVES_KILL);
                more.addAll(traits);
                engines.put(name, more);
            });
            return new BrokerRegistration(
                    broker.brokerId(),
                    broker.incarnation(),
                    broker.storeId(),
                    broker.endpoints(),
                    broker.rack(),
                    engines,
                    broker.lastEnd());
        }
    }

    private static final class ForgottenDisk extends Focused {
        ForgottenDisk() {
            super(Fault.Kind.EMPTIED_DISK, Fault.Kind.PAUSE, Fault.Kind.EXPIRED_SESSION);
        }

        @Override
        BrokerRegistration registered(BrokerRegistration broker) {
            return new BrokerRegistration(
                    broker.brokerId(),
                    broker.incarnation(),
                    new UUID(1, broker.brokerId()),
                    broker.endpoints(),
                    broker.rack(),
                    broker.engines(),
                    broker.lastEnd());
        }
    }

    private static final class ForgottenPowerCut extends Focused {
        ForgottenPowerCut() {
            super(Fault.Kind.POWER_LOST, Fault.Kind.PAUSE, Fault.Kind.EXPIRED_SESSION);
        }

        @Override
        SimulatedDisk.Promise promise(SimulatedDisk.Promise random) {
            return SimulatedDisk.Promise.KEEPS_SETTLED;
        }

        @Override
        BrokerRegistration registered(BrokerRegistration broker) {
            return new BrokerRegistration(
                    broker.brokerId(),
                    broker.incarnation(),
                    broker.storeId(),
                    broker.endpoints(),
                    broker.rack(),
                    broker.engines(),
                    BrokerRegistration.LastEnd.KILLED);
        }
    }

    // ---- changes of in-sync sets

    private static InSyncChange with(InSyncChange change, Map<Integer, Long> isr) {
        return new InSyncChange(change.leaderEpoch(), change.partitionEpoch(), isr, change.recovering());
    }

    private static final class JoinsTooEarly extends Seams {
        @Override
        Map<PartitionId, InSyncChange> proposed(Map<PartitionId, InSyncChange> changes) {
            ClusterView view = simulation.truth().view();
            return changes.entrySet().stream().collect(toMap(Map.Entry::getKey, one -> {
                Map<Integer, Long> all = new HashMap<>(one.getValue().isr());
                view.topic(one.getKey().topicId())
                        .flatMap(topic -> topic.partition(one.getKey().partition()))
                        .ifPresent(state -> state.replicas()
                                .forEach(id -> view.broker(id).ifPresent(live -> all.put(id, live.epoch()))));
                return with(one.getValue(), all);
            }));
        }
    }

    /** The network is slow, so that a broker may come back while a change is on its way. */
    private static final class JoinsInOldEpoch extends Focused {
        JoinsInOldEpoch() {
            super(Fault.Kind.BOUNCE);
        }

        @Override
        SimulatedDisk.Promise promise(SimulatedDisk.Promise random) {
            return SimulatedDisk.Promise.KEEPS_NOTHING;
        }

        @Override
        long adminDelay() {
            return 300 * Timeline.MS;
        }

        @Override
        Map<PartitionId, InSyncChange> proposed(Map<PartitionId, InSyncChange> changes) {
            ClusterView view = simulation.truth().view();
            return changes.entrySet().stream().collect(toMap(Map.Entry::getKey, one -> {
                Map<Integer, Long> present = new HashMap<>();
                one.getValue()
                        .isr()
                        .forEach((id, epoch) -> present.put(
                                id,
                                epoch < 0
                                        ? epoch
                                        : view.broker(id).map(LiveBroker::epoch).orElse(epoch)));
                return with(one.getValue(), present);
            }));
        }
    }

    private static final class MovesAtOnce extends Focused {
        MovesAtOnce() {
            super(Fault.Kind.REASSIGN, Fault.Kind.EXPIRED_SESSION);
        }

        @Override
        List<MetadataRecord> decided(ClusterView before, List<MetadataRecord> records) {
            return records.stream()
                    .map(record -> record instanceof PartitionChanged changed
                                    && changed.state().isBeingReassigned()
                            ? new PartitionChanged(changed.topicId(), changed.partition(), moved(changed.state()))
                            : record)
                    .toList();
        }

        private static PartitionState moved(PartitionState of) {
            List<Integer> target = of.replicas().stream()
                    .filter(id -> !of.removing().contains(id))
                    .toList();
            int leader = target.contains(of.leader()) ? of.leader() : target.get(0);
            return new PartitionState(
                    target,
                    target,
                    List.of(),
                    List.of(),
                    List.of(),
                    leader,
                    of.leaderEpoch() + (leader == of.leader() ? 0 : 1),
                    of.partitionEpoch(),
                    of.recovering());
        }
    }

    private static final class LostIsRefused extends Focused {
        LostIsRefused() {
            super(Fault.Kind.BOUNCE, Fault.Kind.SLOW_BROKER, Fault.Kind.NOISE, Fault.Kind.CUT_ONE_WAY);
        }

        @Override
        long adminPatience(long usual) {
            return 150 * Timeline.MS;
        }

        @Override
        CompletionStage<Decided<PartitionId, PartitionState>> answered(
                Map<PartitionId, InSyncChange> changes, CompletionStage<Decided<PartitionId, PartitionState>> answer) {
            return answer.exceptionally(lost -> new Decided<>(
                    0,
                    changes.keySet().stream()
                            .collect(toMap(
                                    id -> id,
                                    id -> Outcome.failed(ErrorCode.INELIGIBLE_REPLICA, "the answer was lost")))));
        }
    }

    // ---- followers

    /** A follower that does as the real one does. */
    private static class Follower implements FollowedPartition {
        final FollowedPartition real;

        Follower(FollowedPartition real) {
            this.real = real;
        }

        @Override
        public TopicPartition id() {
            return real.id();
        }

        @Override
        public UUID topicId() {
            return real.topicId();
        }

        @Override
        public int leader() {
            return real.leader();
        }

        @Override
        public int leaderEpoch() {
            return real.leaderEpoch();
        }

        @Override
        public boolean isFollowing() {
            return real.isFollowing();
        }

        @Override
        public long fetchOffset() {
            return real.fetchOffset();
        }

        @Override
        public int lastFetchedEpoch() {
            return real.lastFetchedEpoch();
        }

        @Override
        public long logStartOffset() {
            return real.logStartOffset();
        }

        @Override
        public CompletionStage<Void> append(Fetched fetched) {
            return real.append(fetched);
        }

        @Override
        public CompletionStage<Void> truncate(EpochEnd leaders) {
            return real.truncate(leaders);
        }

        @Override
        public CompletionStage<Void> outOfRange(long leaderStart, long leaderEnd) {
            return real.outOfRange(leaderStart, leaderEnd);
        }
    }

    /** The replica of the follower; it is on the node that the simulation runs a task of. */
    private static OpenReplica replicaOf(ClusterSimulation simulation, FollowedPartition partition) {
        for (int i = 0; i < simulation.size(); i++) {
            if (simulation.node(i).isUp()) {
                for (OpenReplica open : simulation.node(i).seat().open()) {
                    if (open.role() == partition) {
                        return open;
                    }
                }
            }
        }
        return null;
    }

    private static CompletionStage<Void> toHighWatermark(ClusterSimulation simulation, FollowedPartition partition) {
        OpenReplica replica = replicaOf(simulation, partition);
        return replica == null || replica.highWatermark() >= replica.logEnd()
                ? CompletableFuture.completedFuture(null)
                : partition.truncate(new EpochEnd(partition.lastFetchedEpoch(), replica.highWatermark()));
    }

    private static final class TruncatesToHighWatermark extends Seams {
        @Override
        FollowedPartition followed(FollowedPartition partition) {
            toHighWatermark(simulation, partition);
            return partition;
        }
    }

    private static final class EmptyAnswerTruncates extends Seams {
        @Override
        FollowedPartition followed(FollowedPartition partition) {
            return new Follower(partition) {
                @Override
                public CompletionStage<Void> append(Fetched fetched) {
                    return fetched.records().hasRemaining() ? super.append(fetched) : toHighWatermark(simulation, real);
                }
            };
        }
    }

    private static final class NoLastEpoch extends Seams {
        @Override
        Asked asked(Asked fetch) {
            return fetch.lastEpoch(-1);
        }
    }

    private static final class AcknowledgesItsEnd extends Seams {
        @Override
        FollowedPartition followed(FollowedPartition partition) {
            return new Follower(partition) {
                @Override
                public long fetchOffset() {
                    OpenReplica replica = replicaOf(simulation, real);
                    return replica == null ? super.fetchOffset() : replica.logEnd();
                }

                @Override
                public CompletionStage<Void> append(Fetched fetched) {
                    super.append(fetched);
                    CompletableFuture<Void> soon = new CompletableFuture<>();
                    simulation.timeline().after(null, 20 * Timeline.MS, () -> soon.complete(null));
                    return soon;
                }
            };
        }
    }

    private static final class LateAnswers extends Focused {
        LateAnswers() {
            super(Fault.Kind.EXPIRED_SESSION, Fault.Kind.CUT_FROM_STORE, Fault.Kind.ELECT_PREFERRED, Fault.Kind.PAUSE);
        }

        @Override
        boolean readsLateAnswers() {
            return true;
        }
    }

    private static final class NeverTruncates extends Seams {
        @Override
        FollowedPartition followed(FollowedPartition partition) {
            return new Follower(partition) {
                @Override
                public CompletionStage<Void> truncate(EpochEnd leaders) {
                    return CompletableFuture.completedFuture(null);
                }
            };
        }
    }

    private static final class ComparesOnce extends Focused {
        private final Set<FollowedPartition> compared = Collections.newSetFromMap(new WeakHashMap<>());

        ComparesOnce() {
            super(Fault.Kind.LEADER_MOVED, Fault.Kind.LEADER_MOVED, Fault.Kind.SLOW_BROKER, Fault.Kind.NOISE);
        }

        @Override
        FollowedPartition followed(FollowedPartition partition) {
            return new Follower(partition) {
                @Override
                public CompletionStage<Void> truncate(EpochEnd leaders) {
                    compared.add(this);
                    return super.truncate(leaders);
                }
            };
        }

        @Override
        Asked asked(Asked fetch) {
            return compared.contains(fetch.by()) ? fetch.lastEpoch(-1) : fetch;
        }
    }

    // ---- leaders

    private static LeaderPartition leading(SimulatedNode node, TopicPartition partition) {
        return node.seat().open().stream()
                .filter(open -> open.partition().equals(partition))
                .map(OpenReplica::role)
                .filter(role -> role instanceof LeaderPartition)
                .map(role -> (LeaderPartition) role)
                .findFirst()
                .orElse(null);
    }

    private static final class CountsFirst extends Focused {
        CountsFirst() {
            super(Fault.Kind.PAUSE, Fault.Kind.CUT_FROM_STORE, Fault.Kind.EXPIRED_SESSION, Fault.Kind.BOUNCE);
        }

        @Override
        void serving(SimulatedNode leader, TopicPartition partition, Asked fetch) {
            LeaderPartition leading = leading(leader, partition);
            if (leading != null && leading.isLeading()) {
                leading.fetchedBy(fetch.replica(), fetch.brokerEpoch(), fetch.offset(), fetch.logStart());
            }
        }
    }

    private interface Append {
        CompletionStage<Appended> of(Seams.Producing with, Partition leader, ByteBuffer batch, Acks acks);
    }

    private static Seams producing(Append append) {
        return new Seams() {
            @Override
            Producing producing(Producing leader) {
                return (partition, batch, acks) -> append.of(leader, partition, batch, acks);
            }
        };
    }

    private static final class ResignedAcknowledges extends Seams {
        @Override
        Producing producing(Producing leader) {
            return (partition, batch, acks) -> {
                long end = partition instanceof LeaderPartition leading ? leading.logEndOffset() : -1;
                return leader.append(partition, batch, acks).exceptionally(failure -> {
                    if (end >= 0 && FeliceException.codeOf(failure) == ErrorCode.NOT_LEADER_OR_FOLLOWER) {
                        return new Appended(end, end, -1, 0);
                    }
                    throw new CompletionException(failure);
                });
            };
        }
    }

    /** The engine says at once that a batch is written, and writes it later. */
    private static final class SettlesLater extends Seams {
        @Override
        boolean settlesLate() {
            return true;
        }
    }

    private static final class FlushesLater extends Focused {
        FlushesLater() {
            super(Fault.Kind.POWER_LOST, Fault.Kind.POWER_LOST_EVERYWHERE, Fault.Kind.SLOW_DISK);
        }

        @Override
        SimulatedDisk.Promise promise(SimulatedDisk.Promise random) {
            return SimulatedDisk.Promise.KEEPS_SETTLED;
        }

        @Override
        boolean flushesLate() {
            return true;
        }
    }

    // ---- coordinators

    /** Partitions whose listeners get other ones. */
    private abstract static class Coordinated extends Focused {
        Coordinated(Fault.Kind... kinds) {
            super(kinds);
        }

        @Override
        Partitions coordinated(Partitions real) {
            return proxy(Partitions.class, (method, arguments) -> {
                if (method.getName().equals("listen")) {
                    return real.listen((String) arguments[0], listener((LeadershipListener) arguments[1]));
                }
                return method.invoke(real, arguments);
            });
        }

        abstract LeadershipListener listener(LeadershipListener real);
    }

    private interface Invocation {
        Object of(Method method, Object[] arguments) throws ReflectiveOperationException;
    }

    private static <T> T proxy(Class<T> type, Invocation invocation) {
        return type.cast(Proxy.newProxyInstance(
                Mutation.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    try {
                        return switch (method.getName()) {
                            case "equals" -> proxy == arguments[0];
                            case "hashCode" -> System.identityHashCode(proxy);
                            default -> invocation.of(method, arguments);
                        };
                    } catch (InvocationTargetException failure) {
                        throw failure.getCause();
                    }
                }));
    }

    /** The coordinator gets another partition in the place of each. */
    private abstract static class OtherPartitions extends Coordinated {
        OtherPartitions(Fault.Kind... kinds) {
            super(kinds);
        }

        abstract Object call(Partition real, Method method, Object[] arguments) throws ReflectiveOperationException;

        @Override
        LeadershipListener listener(LeadershipListener real) {
            Map<Partition, Partition> others = new HashMap<>();
            return new LeadershipListener() {
                @Override
                public void leading(Partition partition, int leaderEpoch) {
                    Partition other = proxy(Partition.class, (method, arguments) -> call(partition, method, arguments));
                    others.put(partition, other);
                    real.leading(other, leaderEpoch);
                }

                @Override
                public void resigned(Partition partition, int leaderEpoch) {
                    real.resigned(others.remove(partition), leaderEpoch);
                }
            };
        }
    }

    private static final class DeadTermCommits extends OtherPartitions {
        DeadTermCommits() {
            super(Fault.Kind.PAUSE, Fault.Kind.CUT_FROM_STORE, Fault.Kind.EXPIRED_SESSION, Fault.Kind.LEADER_MOVED);
        }

        @Override
        Object call(Partition real, Method method, Object[] arguments) throws ReflectiveOperationException {
            Object result = method.invoke(real, arguments);
            return method.getName().equals("append")
                    ? ((CompletionStage<?>) result).exceptionally(over -> null)
                    : result;
        }
    }

    private static final class ServesTooEarly extends OtherPartitions {
        ServesTooEarly() {
            super(Fault.Kind.PAUSE, Fault.Kind.CUT_FROM_STORE, Fault.Kind.EXPIRED_SESSION, Fault.Kind.LEADER_MOVED);
        }

        @Override
        Object call(Partition real, Method method, Object[] arguments) throws ReflectiveOperationException {
            return method.getName().equals("highWatermark") ? real.logEndOffset() : method.invoke(real, arguments);
        }
    }

    private static final class KeepsOldState extends Coordinated {
        KeepsOldState() {
            super(Fault.Kind.LEADER_MOVED, Fault.Kind.EXPIRED_SESSION);
        }

        @Override
        LeadershipListener listener(LeadershipListener real) {
            Partition[] newest = {null};
            return new LeadershipListener() {
                @Override
                public void leading(Partition partition, int leaderEpoch) {
                    boolean isFirst = newest[0] == null;
                    newest[0] = partition;
                    if (isFirst) {
                        real.leading(
                                proxy(Partition.class, (method, arguments) -> method.invoke(newest[0], arguments)),
                                leaderEpoch);
                    }
                }

                @Override
                public void resigned(Partition partition, int leaderEpoch) {
                    // The state stays.
                }
            };
        }
    }
}
