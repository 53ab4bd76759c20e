package io.felice.coordinator;

import static io.felice.api.ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
import static io.felice.api.ErrorCode.INVALID_GROUP_ID;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.NONE;
import static io.felice.api.ErrorCode.NOT_COORDINATOR;
import static io.felice.api.ErrorCode.REBALANCE_IN_PROGRESS;
import static io.felice.api.cluster.InternalTopics.CONSUMER_OFFSETS;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.Subscription;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.Configs;
import io.felice.api.group.Groups;
import io.felice.api.partition.LeadershipListener;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partitions;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import io.felice.api.status.Trouble;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Coordinates the groups whose partition of {@code __consumer_offsets} this node leads. It finds the shard of a group and
 * hands the request to it. A shard is created when this node becomes leader of a partition and retired when the leadership
 * ends. Shards load on threads of this component.
 */
@Component(
        service = {Groups.class, StatusSource.class, HealthSource.class},
        immediate = true)
public final class GroupCoordinator implements Groups, StatusSource, HealthSource {
    private static final TableSchema STATES = TableSchema.of("coordinator.states", "Groups by their state")
            .label("state", "The state of the groups")
            .gauge("groups", "How many groups are in it");
    private static final TableSchema GROUPS = TableSchema.of("coordinator.groups", "The groups of this node")
            .gauge("members", "Members of all groups")
            .gauge("offsets", "Committed offsets of all groups")
            .gauge("shards.loaded", "Partitions of __consumer_offsets that are loaded")
            .gauge("shards.loading", "Partitions of __consumer_offsets that are being loaded")
            .counter("loads", "How often a partition of __consumer_offsets was loaded")
            .counter("load.ms", Unit.MILLISECONDS, "The time that this took")
            .counter("load.records", "Records that were read for it")
            .counter("rebalances", "Rebalances that were begun")
            .counter("commits", "Requests that committed offsets")
            .counter("expired.members", "Members removed, because they were not heard of within the session timeout")
            .counter("expired.offsets", "Committed offsets that were deleted, because they had expired");
    private static final TableSchema LIMITS = TableSchema.limits("coordinator.limits");

    private static final Logger LOG = LoggerFactory.getLogger(GroupCoordinator.class);
    private static final long FAREWELL_SECONDS = 5;

    private record Served(Shard shard, ClassicProtocol protocol, OffsetStore offsets) {}

    private final Partitions partitions;
    private final ClusterMetadata metadata;
    private final Configs configs;
    private final Time time;
    private final ScheduledExecutorService scheduler;
    private final ExecutorService loaders;
    private final Supplier<UUID> ids;
    private final OffsetsTopic topic;
    private final Counters counters = new Counters();
    private final Map<Integer, Served> shards = new ConcurrentHashMap<>();
    private final Subscription leadership;
    private final Subscription views;
    private volatile Admin admin;
    private volatile boolean closed;
    private volatile ClusterView seen = ClusterView.EMPTY;

    @Activate
    public GroupCoordinator(
            @Reference Partitions partitions, @Reference ClusterMetadata metadata, @Reference Configs configs) {
        this(partitions, metadata, configs, Time.system(), Threads.timer(), Threads.loaders(), UUID::randomUUID);
    }

    /**
     * With the caller's clocks, threads and member ids, for tests.
     *
     * @param scheduler shut down by {@link #deactivate}, as are {@code loaders}
     */
    GroupCoordinator(
            Partitions partitions,
            ClusterMetadata metadata,
            Configs configs,
            Time time,
            ScheduledExecutorService scheduler,
            ExecutorService loaders,
            Supplier<UUID> ids) {
        this.partitions = partitions;
        this.metadata = metadata;
        this.configs = configs;
        this.time = time;
        this.scheduler = scheduler;
        this.loaders = loaders;
        this.ids = ids;
        this.topic = new OffsetsTopic(metadata, configs, () -> admin, scheduler);
        this.leadership = partitions.listen(CONSUMER_OFFSETS, new Leadership());
        this.views = metadata.listen(this::look);
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindAdmin(Admin controller) {
        admin = controller;
    }

    void unbindAdmin(Admin controller) {
        if (admin == controller) {
            admin = null;
        }
    }

    /** When this method returns, the coordinator appends nothing any more, and its threads have been told to end. */
    @Deactivate
    void deactivate() {
        closed = true;
        leadership.close();
        views.close();
        List<CompletableFuture<Void>> farewells = new ArrayList<>();
        shards.values().forEach(served -> farewells.add(retire(served).toCompletableFuture()));
        shards.clear();
        await(CompletableFuture.allOf(farewells.toArray(CompletableFuture[]::new)));
        // No shutdownNow: it interrupts the threads, and an interrupt closes the file that a thread reads from.
        loaders.shutdown();
        scheduler.shutdown();
    }

    private static void await(CompletableFuture<Void> farewells) {
        try {
            farewells.get(FAREWELL_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException late) {
            LOG.warn(
                    "Some partitions of {} were not retired within {} s: requests to their groups may stay unanswered",
                    CONSUMER_OFFSETS,
                    FAREWELL_SECONDS,
                    late);
        }
    }

    // ---- leadership

    /** Creates and retires shards. The shard of an older leader epoch is retired before the next one is loaded. */
    private final class Leadership implements LeadershipListener {
        @Override
        public void leading(Partition partition, int leaderEpoch) {
            if (closed) {
                return;
            }
            Served next = serve(
                    new Shard(partition, leaderEpoch, configs, GroupCoordinator.this::groupCount, time, scheduler));
            Served before = shards.put(partition.id().partition(), next);
            if (before == null) {
                load(next);
            } else {
                retire(before).thenRun(() -> load(next));
            }
        }

        @Override
        public void resigned(Partition partition, int leaderEpoch) {
            int number = partition.id().partition();
            Served served = shards.get(number);
            if (served != null && served.shard().partition() == partition && shards.remove(number, served)) {
                int groups = served.shard().groups().size();
                if (groups > 0) {
                    LOG.info(
                            "{} groups of {} are no longer coordinated here: the leadership of epoch {} has ended",
                            groups,
                            partition.id(),
                            leaderEpoch);
                }
                retire(served);
            }
        }
    }

    private int groupCount() {
        return shards.values().stream()
                .mapToInt(served -> served.shard().groups().size())
                .sum();
    }

    private Served serve(Shard shard) {
        return new Served(shard, new ClassicProtocol(shard, ids, counters), new OffsetStore(shard, metadata, counters));
    }

    private void load(Served served) {
        new ShardLoader(served.shard(), loaders, scheduler, loader -> activate(served, loader)).start();
    }

    private void activate(Served served, ShardLoader loader) {
        served.shard().activate(served.protocol()::resume);
        served.shard().execute(served.offsets()::expireRegularly);
        counters.loads.increment();
        counters.loadMs.add(loader.tookMs());
        counters.loadedRecords.add(loader.records());
        if (loader.records() == 0) {
            return; // no INFO line for an empty partition: the first start would write fifty of them
        }
        LOG.info(
                "{} groups of {} are coordinated here in epoch {}: {} records replayed in {} ms",
                served.shard().groups().size(),
                served.shard().partition().id(),
                served.shard().leaderEpoch(),
                loader.records(),
                loader.tookMs());
    }

    private CompletionStage<Void> retire(Served served) {
        return served.shard().retire(served.protocol()::farewell);
    }

    /** Removes the offsets of topics that were deleted since the last view. Called with one view after the other. */
    private void look(ClusterView view) {
        ClusterView before = seen;
        seen = view;
        if (before.topics() == view.topics()) {
            return;
        }
        Set<String> deleted = new HashSet<>();
        for (TopicView known : before.topics()) {
            if (view.topic(known.topicId()).isEmpty()) {
                deleted.add(known.name());
            }
        }
        if (!deleted.isEmpty()) {
            shards.values().forEach(served -> served.shard()
                    .execute(() -> served.offsets().forgetTopics(deleted)));
        }
    }

    // ---- requests

    @Override
    public CompletionStage<Integer> coordinatorOf(String groupId) {
        if (!isValid(groupId)) {
            return CompletableFuture.failedFuture(INVALID_GROUP_ID.because(
                    "The group id is missing or longer than " + GroupLimits.MAX_STRING_BYTES + " bytes"));
        }
        return topic.leaderOf(groupId);
    }

    @Override
    public CompletionStage<Joined> join(Join request) {
        return askNamed(
                request.groupId(),
                error -> Joined.failed(error, request.memberId()),
                (served, answer) -> served.protocol().join(request, answer));
    }

    /**
     * While the group is loading, the answer is REBALANCE_IN_PROGRESS: a rebalance that was under way is not in the log, so
     * that the member has to join again. The coordinator stays the same.
     */
    @Override
    public CompletionStage<Synced> sync(Sync request) {
        return askNamed(
                request.groupId(),
                error -> Synced.failed(error == COORDINATOR_LOAD_IN_PROGRESS ? REBALANCE_IN_PROGRESS : error),
                (served, answer) -> served.protocol().sync(request, answer));
    }

    /** While the group is loading, every heartbeat is answered with NONE: session timeouts start when it is loaded. */
    @Override
    public ErrorCode heartbeat(String groupId, int generationId, String memberId, String groupInstanceId) {
        if (!isNamed(groupId)) {
            return INVALID_GROUP_ID;
        }
        Optional<Integer> partition = topic.partitionOf(groupId);
        ErrorCode refusal = refusal(partition);
        if (refusal != NONE) {
            return refusal == COORDINATOR_LOAD_IN_PROGRESS ? NONE : refusal;
        }
        Served served = partition.map(shards::get).orElse(null);
        return served == null
                ? NOT_COORDINATOR
                : served.protocol().heartbeat(groupId, generationId, memberId, groupInstanceId);
    }

    @Override
    public CompletionStage<Left> leave(String groupId, List<Leaving> members) {
        return askNamed(groupId, error -> new Left(error, List.of()), (served, answer) -> served.protocol()
                .leave(groupId, members, answer));
    }

    @Override
    public CompletionStage<Map<TopicPartition, ErrorCode>> commit(
            String groupId,
            int generationId,
            String memberId,
            String groupInstanceId,
            Map<TopicPartition, OffsetToCommit> offsets) {
        OffsetStore.Commit commit =
                new OffsetStore.Commit(groupId, generationId, memberId, groupInstanceId, Map.copyOf(offsets));
        return ask(groupId, commit::all, (served, answer) -> served.offsets().commit(commit, answer));
    }

    @Override
    public CompletionStage<FetchedOffsets> fetchOffsets(
            String groupId, Optional<List<TopicPartition>> partitions, boolean requireStable) {
        return ask(groupId, error -> new FetchedOffsets(error, Map.of()), (served, answer) -> served.shard()
                .answer(answer, served.offsets().fetch(groupId, partitions)));
    }

    @Override
    public CompletionStage<DeletedOffsets> deleteOffsets(String groupId, Set<TopicPartition> partitions) {
        return askNamed(groupId, error -> new DeletedOffsets(error, Map.of()), (served, answer) -> served.offsets()
                .deleteOffsets(groupId, partitions, answer));
    }

    @Override
    public CompletionStage<Description> describe(String groupId) {
        return ask(
                groupId,
                error -> new Description(error, groupId, State.DEAD, "", "", List.of()),
                (served, answer) -> served.shard()
                        .answer(answer, describe(groupId, served.shard().group(groupId))));
    }

    private static Description describe(String groupId, Group group) {
        if (group == null) {
            return new Description(NONE, groupId, State.DEAD, "", "", List.of());
        }
        boolean stable = group.is(State.STABLE);
        List<MemberDescription> members = new ArrayList<>();
        group.members()
                .forEach(m -> members.add(new MemberDescription(
                        m.id(),
                        m.groupInstanceId(),
                        m.clientId(),
                        m.clientHost(),
                        stable ? m.metadata(group.protocol()) : Member.NOTHING,
                        stable ? m.assignment() : Member.NOTHING)));
        return new Description(
                NONE,
                groupId,
                group.state(),
                Member.orEmpty(group.protocolType()),
                stable ? Member.orEmpty(group.protocol()) : "",
                members);
    }

    @Override
    public CompletionStage<List<Listing>> list() {
        for (TopicPartition partition : topic.ledHere()) {
            if (isLoading(partition)) {
                return CompletableFuture.failedFuture(
                        COORDINATOR_LOAD_IN_PROGRESS.because("The groups of " + partition + " are being loaded"));
            }
        }
        List<Listing> all = new ArrayList<>();
        shards.values().forEach(served -> served.shard()
                .groups()
                .forEach(group ->
                        all.add(new Listing(group.id(), Member.orEmpty(group.protocolType()), group.state()))));
        return CompletableFuture.completedFuture(all);
    }

    /** False for a partition that is offline: the groups of the other partitions can be listed without it. */
    private boolean isLoading(TopicPartition partition) {
        Served served = shards.get(partition.partition());
        if (served != null) {
            return served.shard().isLoading();
        }
        try {
            partitions.leader(partition);
            return true;
        } catch (FeliceException notHere) {
            return notHere.code() != KAFKA_STORAGE_ERROR;
        }
    }

    @Override
    public CompletionStage<ErrorCode> delete(String groupId) {
        return ask(groupId, error -> error, (served, answer) -> served.offsets().delete(groupId, answer));
    }

    // ---- routing

    /** One request to a shard; it completes {@code answer} now or later. */
    private interface Request<T> {
        void serve(Served served, CompletableFuture<T> answer);
    }

    private <T> CompletionStage<T> askNamed(String groupId, Function<ErrorCode, T> refused, Request<T> request) {
        return isNamed(groupId)
                ? ask(groupId, refused, request)
                : CompletableFuture.completedFuture(refused.apply(INVALID_GROUP_ID));
    }

    private <T> CompletionStage<T> ask(String groupId, Function<ErrorCode, T> refused, Request<T> request) {
        if (!isValid(groupId)) {
            return CompletableFuture.completedFuture(refused.apply(INVALID_GROUP_ID));
        }
        Optional<Integer> partition = topic.partitionOf(groupId);
        Served served = partition.map(shards::get).orElse(null);
        if (served == null) {
            return CompletableFuture.completedFuture(refused.apply(refusal(partition)));
        }
        Consumer<CompletableFuture<T>> serve = answer -> request.serve(served, answer);
        return served.shard().ask(refused, serve);
    }

    /**
     * NONE, or the error for requests to groups of this partition. A partition that this broker is to lead, but has not
     * opened yet, counts as loading.
     */
    private ErrorCode refusal(Optional<Integer> partition) {
        Served served = partition.map(shards::get).orElse(null);
        if (served != null) {
            return served.shard().refusal();
        }
        return partition.filter(topic::isLedHere).isPresent() ? COORDINATOR_LOAD_IN_PROGRESS : NOT_COORDINATOR;
    }

    /** True for the empty group id too: a consumer without a group may commit offsets under it, as in Kafka. */
    private static boolean isValid(String groupId) {
        return groupId != null && GroupLimits.fits(groupId, GroupLimits.MAX_STRING_BYTES);
    }

    private static boolean isNamed(String groupId) {
        return isValid(groupId) && !groupId.isEmpty();
    }

    // ---- status

    @Override
    public List<StatusTable> tables() {
        Map<State, Long> states = new HashMap<>();
        long members = 0;
        long offsets = 0;
        for (Served served : shards.values()) {
            for (Group group : served.shard().groups()) {
                states.merge(group.state(), 1L, Long::sum);
                members += group.size();
                offsets += group.offsets().size();
            }
        }
        long most = configs.broker().getInt(BrokerConfig.GROUPS_MAX);
        return List.of(
                STATES.rows(Stream.of(State.values())
                        .map(state ->
                                List.<Object>of(state.name().toLowerCase(Locale.ROOT), states.getOrDefault(state, 0L)))
                        .toList()),
                GROUPS.row(
                        members,
                        offsets,
                        count(Shard::isActive),
                        count(Shard::isLoading),
                        counters.loads.sum(),
                        counters.loadMs.sum(),
                        counters.loadedRecords.sum(),
                        counters.rebalances.sum(),
                        counters.commits.sum(),
                        counters.expiredMembers.sum(),
                        counters.expiredOffsets.sum()),
                LIMITS.rows(List.of(TableSchema.limit("groups", groupCount(), most))));
    }

    @Override
    public List<Trouble> troubles() {
        long loading = count(Shard::isLoading);
        return loading == 0
                ? List.of()
                : List.of(Trouble.inPart("The coordinator still loads the groups of " + loading
                        + " partitions of __consumer_offsets: these groups wait"));
    }

    private long count(Predicate<Shard> phase) {
        return shards.values().stream().map(Served::shard).filter(phase).count();
    }
}
