package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.TopicView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.Configs;
import io.felice.api.config.ReadOnce;
import io.felice.api.config.TopicConfig;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.ResourceType;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import io.felice.protocol.Apis;
import io.felice.protocol.PinnedRecords;
import io.felice.protocol.RequestContext;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.Serves;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.NodeEndpoint;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** Reads records for consumers and for followers. In a fetch session, the response holds only partitions with changes (KIP-227). */
@Component(
        service = {RequestHandler.class, StatusSource.class},
        configurationPid = "io.felice.handlers")
@Designate(ocd = FetchHandler.Config.class)
@Serves(key = Apis.FETCH)
public final class FetchHandler implements RequestHandler<FetchRequestData, FetchResponseData>, StatusSource {
    private static final TableSchema LIMITS = TableSchema.limits("handlers.limits");
    /** The limits of fetch sessions. */
    @ObjectClassDefinition(name = "Felice handlers")
    public @interface Config {
        @AttributeDefinition(
                description = "Most fetch sessions at a time (KIP-227). A client without a session names all its"
                        + " partitions in every fetch request.",
                min = "0")
        int fetch_sessions() default 1000;

        @AttributeDefinition(description = "Most partitions of all fetch sessions together.", min = "0")
        int fetch_session_partitions() default 500_000;

        @AttributeDefinition(
                description =
                        "After how long without a request a new fetch session may replace an old one, in milliseconds.",
                min = "0")
        long fetch_session_eviction_ms() default 120_000;
    }

    private static final short FIRST_WITH_ZSTD = 10;
    private static final short FIRST_WITH_PREFERRED_REPLICA = 11;
    private static final short FIRST_WITH_TOPIC_IDS = 13;
    private static final short FIRST_WITH_LEADER_HINTS = 16;
    private static final int NO_SESSION = 0;
    private static final int FULL = 0;
    private static final int FINAL = -1;
    private static final int READ_COMMITTED = 1;

    private final Partitions partitions;
    private final ClusterMetadata metadata;
    private final Configs configs;
    private final Rights rights;
    private final FetchSessions sessions;
    private volatile Config inForce;

    @Activate
    public FetchHandler(
            @Reference Partitions partitions,
            @Reference ClusterMetadata metadata,
            @Reference Configs configs,
            @Reference Rights rights,
            Config config) {
        this(
                partitions,
                metadata,
                configs,
                rights,
                new FetchSessions(
                        new FetchSessions.Limits(
                                config.fetch_sessions(),
                                config.fetch_session_partitions(),
                                config.fetch_session_eviction_ms()),
                        () -> System.nanoTime() / 1_000_000,
                        () -> ThreadLocalRandom.current().nextInt(1, Integer.MAX_VALUE)));
        inForce = config;
    }

    /**
     * New limits are read at the next start of this component: a component made anew would lose all fetch sessions.
     */
    @Modified
    void modified(Config wanted) {
        ReadOnce.compare("io.felice.handlers", Config.class, inForce, wanted, Set.of());
    }

    FetchHandler(
            Partitions partitions, ClusterMetadata metadata, Configs configs, Rights rights, FetchSessions sessions) {
        this.partitions = partitions;
        this.metadata = metadata;
        this.configs = configs;
        this.rights = rights;
        this.sessions = sessions;
    }

    @Override
    public CompletionStage<FetchResponseData> handle(FetchRequestData request, RequestContext context) {
        boolean byId = context.apiVersion() >= FIRST_WITH_TOPIC_IDS;
        Principal client = context.requester().principal();
        boolean full = request.sessionEpoch() == FULL || request.sessionEpoch() == FINAL;
        if (full) {
            sessions.remove(request.sessionId(), client);
            Mode mode = request.sessionEpoch() == FULL ? Mode.FULL : Mode.SESSIONLESS;
            return read(new Fetch(request, context, mode, null, wanted(request, byId)), context);
        }
        Optional<FetchSession> found = sessions.find(request.sessionId(), client);
        return found.isPresent()
                ? resume(found.get(), request, context, byId)
                : failed(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
    }

    private CompletionStage<FetchResponseData> resume(
            FetchSession session, FetchRequestData request, RequestContext context, boolean byId) {
        int size = session.size();
        List<Wanted> wanted;
        try {
            wanted = session.advance(request, byId, sessions.nowMs());
        } catch (FeliceException refused) {
            return failed(refused.code());
        }
        boolean tooMany = wanted.size() > size && !sessions.mayGrow();
        if (wanted.isEmpty() || tooMany) {
            sessions.remove(session.id(), context.requester().principal());
            return read(new Fetch(request, context, Mode.SESSIONLESS, null, wanted), context);
        }
        return read(new Fetch(request, context, Mode.INCREMENTAL, session, wanted), context);
    }

    private CompletionStage<FetchResponseData> read(Fetch fetch, RequestContext context) {
        return rights.ask(
                fetch, context, (asked, unused) -> asked.needs(), (asked, unused, allowed) -> asked.begin(allowed));
    }

    @Override
    public List<StatusTable> tables() {
        FetchSessions.Limits limits = sessions.limits();
        return List.of(LIMITS.rows(List.of(
                TableSchema.limit("fetch.sessions", sessions.size(), limits.sessions()),
                TableSchema.limit("fetch.session.partitions", sessions.partitions(), limits.partitions()))));
    }

    private static List<Wanted> wanted(FetchRequestData request, boolean byId) {
        List<Wanted> wanted = new ArrayList<>();
        for (FetchTopic topic : request.topics()) {
            for (FetchPartition partition : topic.partitions()) {
                wanted.add(new Wanted(Wanted.key(topic, partition, byId), partition));
            }
        }
        return wanted;
    }

    private static CompletionStage<FetchResponseData> failed(ErrorCode error) {
        return CompletableFuture.completedFuture(new FetchResponseData().setErrorCode(error.code()));
    }

    private enum Mode {
        /** The request has no session and gets none. */
        SESSIONLESS,
        /** The request lists all its partitions and gets a new session if the limits allow it. */
        FULL,
        /** The request continues a session and lists only changes. */
        INCREMENTAL
    }

    /** One fetch request: makes the plan of what to read, and the response from the records that were read. */
    private final class Fetch {
        private final FetchRequestData request;
        private final RequestContext context;
        private final Mode mode;
        private final FetchSession session;
        private final List<Wanted> wanted;
        private final List<Want> plan;
        /** The topic's name for each of {@link #wanted}, null if its id is unknown. */
        private final String[] names;
        /** Which of {@link #wanted} the client may not read; null if it may read all. */
        private boolean[] refused;

        Fetch(FetchRequestData request, RequestContext context, Mode mode, FetchSession session, List<Wanted> wanted) {
            this.request = request;
            this.context = context;
            this.mode = mode;
            this.session = session;
            this.wanted = wanted;
            this.names = new String[wanted.size()];
            this.plan = new ArrayList<>(wanted.size());
            name();
        }

        /** A broker that follows needs one right for all topics. */
        List<Action> needs() {
            if (replicaId() != FetchPlan.CONSUMER) {
                return List.of(Action.onCluster(Operation.CLUSTER_ACTION));
            }
            List<Action> actions = new ArrayList<>();
            String last = null;
            for (String name : names) {
                if (name != null && !name.equals(last)) {
                    actions.add(new Action(Operation.READ, ResourceType.TOPIC, name));
                    last = name;
                }
            }
            return actions;
        }

        CompletionStage<FetchResponseData> begin(Allowed allowed) {
            if (allowed != Allowed.EVERYTHING) {
                refuse(allowed);
            }
            plan();
            if (plan.isEmpty()) {
                return CompletableFuture.completedFuture(respond(List.of()));
            }
            int maxBytes = Math.min(request.maxBytes(), configs.broker().getInt(BrokerConfig.FETCH_MAX_BYTES));
            FetchPlan whole = new FetchPlan(
                    plan,
                    Math.min(request.minBytes(), maxBytes),
                    maxBytes,
                    Duration.ofMillis(Math.max(0, request.maxWaitMs())),
                    request.isolationLevel() == READ_COMMITTED,
                    replicaId(),
                    request.replicaState().replicaEpoch(),
                    context.apiVersion() >= FIRST_WITH_PREFERRED_REPLICA ? request.rackId() : null);
            return partitions.fetch(whole).thenApply(this::respondOrRelease);
        }

        /** The replica id, which is in {@code replicaState} since version 15. Every id below 0 means a consumer. */
        private int replicaId() {
            int id = request.replicaId() >= 0
                    ? request.replicaId()
                    : request.replicaState().replicaId();
            return id >= 0 ? id : FetchPlan.CONSUMER;
        }

        private void refuse(Allowed allowed) {
            refused = new boolean[names.length];
            if (replicaId() != FetchPlan.CONSUMER) {
                Arrays.fill(refused, !allowed.permits(Action.onCluster(Operation.CLUSTER_ACTION)));
                return;
            }
            for (int i = 0; i < names.length; i++) {
                boolean isSameTopic = i > 0 && names[i] != null && names[i].equals(names[i - 1]);
                refused[i] = isSameTopic
                        ? refused[i - 1]
                        : names[i] != null && !allowed.permits(Operation.READ, ResourceType.TOPIC, names[i]);
            }
        }

        private boolean isRefused(int i) {
            return refused != null && refused[i];
        }

        private void name() {
            ClusterView view = metadata.view();
            Uuid lastId = null;
            String lastName = null;
            for (int i = 0; i < names.length; i++) {
                Wanted one = wanted.get(i);
                if (one.key().topic() instanceof Uuid id) {
                    if (!id.equals(lastId)) {
                        lastId = id;
                        lastName =
                                view.topic(TopicIds.of(id)).map(TopicView::name).orElse(null);
                    }
                    names[i] = lastName;
                } else {
                    names[i] = (String) one.key().topic();
                }
            }
        }

        private void plan() {
            for (int i = 0; i < names.length; i++) {
                Wanted one = wanted.get(i);
                if (names[i] != null && !isRefused(i)) {
                    plan.add(new Want(
                            one.under(names[i]),
                            one.offset(),
                            one.maxBytes(),
                            one.currentLeaderEpoch(),
                            one.lastFetchedEpoch(),
                            one.logStartOffset()));
                }
            }
        }

        private FetchResponseData respondOrRelease(List<FetchedPartition> fetched) {
            try {
                return respond(fetched);
            } catch (RuntimeException broken) {
                release(fetched);
                throw broken;
            }
        }

        private FetchResponseData respond(List<FetchedPartition> fetched) {
            if (session == null) {
                return respondInFull(fetched);
            }
            synchronized (session) {
                if (session.isAt(FetchSession.nextEpoch(request.sessionEpoch()))) {
                    return respondIncrementally(fetched);
                }
            }
            release(fetched);
            return new FetchResponseData()
                    .setErrorCode(ErrorCode.INVALID_FETCH_SESSION_EPOCH.code())
                    .setSessionId(session.id());
        }

        private FetchResponseData respondInFull(List<FetchedPartition> fetched) {
            Response response = new Response();
            Iterator<FetchedPartition> answers = fetched.iterator();
            for (int i = 0; i < names.length; i++) {
                PartitionData answer = answer(i, answers);
                wanted.get(i).tell(answer);
                response.add(wanted.get(i), names[i], answer);
            }
            int sessionId = mode == Mode.FULL
                    ? sessions.create(
                                    wanted,
                                    context.apiVersion() >= FIRST_WITH_TOPIC_IDS,
                                    context.requester().principal())
                            .map(FetchSession::id)
                            .orElse(NO_SESSION)
                    : NO_SESSION;
            return response.data.setSessionId(sessionId);
        }

        private FetchResponseData respondIncrementally(List<FetchedPartition> fetched) {
            Response response = new Response();
            Iterator<FetchedPartition> answers = fetched.iterator();
            for (int i = 0; i < names.length; i++) {
                PartitionData answer = answer(i, answers);
                if (wanted.get(i).tell(answer)) {
                    response.add(wanted.get(i), names[i], answer);
                    if (answer.records().sizeInBytes() > 0) {
                        session.served(wanted.get(i));
                    }
                }
            }
            return response.data.setSessionId(session.id());
        }

        private PartitionData answer(int i, Iterator<FetchedPartition> answers) {
            PartitionData answer =
                    new PartitionData().setPartitionIndex(wanted.get(i).key().partition());
            if (names[i] == null || isRefused(i)) {
                ErrorCode error = isRefused(i) ? ErrorCode.TOPIC_AUTHORIZATION_FAILED : ErrorCode.UNKNOWN_TOPIC_ID;
                return answer.setErrorCode(error.code()).setHighWatermark(-1L).setRecords(MemoryRecords.EMPTY);
            }
            FetchedPartition fetched = answers.next();
            if (context.apiVersion() < FIRST_WITH_ZSTD && isStoredAsZstd(names[i])) {
                fetched.records().close();
                return answer.setErrorCode(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE.code())
                        .setHighWatermark(-1L)
                        .setRecords(MemoryRecords.EMPTY);
            }
            answer.setErrorCode(Failures.ofPartition(fetched.error()).code())
                    .setHighWatermark(fetched.highWatermark())
                    .setLastStableOffset(fetched.lastStableOffset())
                    .setLogStartOffset(fetched.logStartOffset());
            if (request.isolationLevel() == READ_COMMITTED && fetched.error() == ErrorCode.NONE) {
                answer.setAbortedTransactions(List.of());
            } else {
                answer.setAbortedTransactions(null);
            }
            Partition.EpochEnd divergence = fetched.divergence();
            if (divergence != null) {
                answer.divergingEpoch().setEpoch(divergence.epoch()).setEndOffset(divergence.endOffset());
            }
            if (fetched.preferredReplica() != FetchedPartition.NO_PREFERENCE
                    && context.apiVersion() >= FIRST_WITH_PREFERRED_REPLICA) {
                answer.setPreferredReadReplica(fetched.preferredReplica());
            }
            if (fetched.records().sizeInBytes() > 0) {
                return answer.setRecords(new PinnedRecords(fetched.records()));
            }
            fetched.records().close();
            return answer.setRecords(MemoryRecords.EMPTY);
        }

        private boolean isStoredAsZstd(String topic) {
            return configs.topic(topic).get(TopicConfig.COMPRESSION_TYPE).equals("zstd");
        }

        private static void release(List<FetchedPartition> fetched) {
            fetched.forEach(one -> one.records().close());
        }

        /** Builds the response. Consecutive partitions of one topic share one topic entry. */
        private final class Response {
            final FetchResponseData data = new FetchResponseData();
            private Object lastTopic;
            private FetchableTopicResponse last;
            private LeaderHints hints;

            void add(Wanted of, String name, PartitionData answer) {
                Object topic = of.key().topic();
                if (!topic.equals(lastTopic)) {
                    lastTopic = topic;
                    last = new FetchableTopicResponse();
                    if (topic instanceof Uuid id) {
                        last.setTopicId(id);
                    } else {
                        last.setTopic(name);
                    }
                    data.responses().add(last);
                }
                last.partitions().add(answer);
                if (context.apiVersion() >= FIRST_WITH_LEADER_HINTS && LeaderHints.areFor(answer.errorCode())) {
                    hint(name, answer);
                }
            }

            private void hint(String name, PartitionData answer) {
                hints = hints == null ? new LeaderHints(metadata, context) : hints;
                hints.add(
                        new TopicPartition(name, answer.partitionIndex()),
                        (leader, epoch) ->
                                answer.currentLeader().setLeaderId(leader).setLeaderEpoch(epoch),
                        node -> data.nodeEndpoints()
                                .add(new NodeEndpoint()
                                        .setNodeId(node.id())
                                        .setHost(node.host())
                                        .setPort(node.port())
                                        .setRack(node.rack())));
            }
        }
    }
}
