package io.felice.controller;

import static java.util.stream.Collectors.toSet;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.FoldedErrors;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterStore.LiveRegistration;
import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.ForwardedRequests;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.Peers;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.ConfigResource;
import io.felice.api.config.Configs;
import io.felice.api.policy.TopicPolicy;
import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.QuotaEntity;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.SecurityView;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import io.felice.api.status.Trouble;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.osgi.service.component.ComponentServiceObjects;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stands for election as the cluster's controller. While it is the controller, it decides about topics, configs and
 * leaders.
 *
 * <p>All state belongs to one thread. Requests and the store's callbacks run on that thread. While the store is away or
 * an election is under way, requests wait; the settings limit how many wait and how long. While another broker is the
 * controller, requests are sent to it ({@link Routes}).
 */
@Component(
        service = {Admin.class, ForwardedRequests.class, StatusSource.class, HealthSource.class},
        immediate = true,
        configurationPid = "io.felice.controller")
@Designate(ocd = Controller.Config.class)
public final class Controller implements Admin, ForwardedRequests, StatusSource, HealthSource {
    private static final TableSchema STATUS = TableSchema.of("controller", "The controller of this node")
            .text(
                    "role",
                    "controller: decides for the cluster; replaying: reads the metadata first; standby: does not decide")
            .text("controller", "The broker id of the controller; empty if none is known")
            .text("since", "Since when this node is the controller; empty if it is not")
            .gauge("epoch", "The controller epoch of this node; -1 if it is not the controller")
            .gauge("version", "The version of the metadata that the controller decides on")
            .gauge("waiting", "Requests that wait until the controller decides")
            .gauge("open", "Requests that are not answered")
            .counter("decided", "Requests that were decided")
            .counter("forwarded", "Requests that were sent to the broker that is the controller")
            .counter("snapshots", "Snapshots of the metadata that were made");
    private static final TableSchema LIMITS = TableSchema.limits("controller.limits");

    @ObjectClassDefinition(name = "Felice: controller")
    public @interface Config {
        @AttributeDefinition(
                description = "How long a request waits for the decision of the controller, in milliseconds.",
                min = "1")
        long request_timeout_ms() default 15_000;

        @AttributeDefinition(
                description = "Most requests that wait at a time; further requests are refused at once.",
                min = "1")
        int requests_max() default 1_000;

        @AttributeDefinition(
                description = "Most partitions of all topics together; further ones are refused.",
                min = "1")
        int partitions_max() default 200_000;

        @AttributeDefinition(description = "Most brokers of the cluster; further ones are refused.", min = "1")
        int brokers_max() default 1_000;

        @AttributeDefinition(
                description =
                        "A snapshot of all metadata is written after this many changes of the metadata log at the latest.",
                min = "1")
        long snapshot_every_changes() default 10_000;

        @AttributeDefinition(
                description =
                        "A snapshot of all metadata is written after this many bytes of the metadata log at the latest.",
                min = "1")
        long snapshot_every_bytes() default 16L << 20;

        @AttributeDefinition(
                description = "The names, separated by commas, of topic policies without which no topic is created,"
                        + " changed or deleted. Policies that are not named are asked while they are installed.")
        String[] topic_policies_required() default {};

        @AttributeDefinition(
                description =
                        "How long a topic policy may take for a request, and how long a request waits for a required"
                                + " policy that is away, in milliseconds. Then the request is refused.",
                min = "1")
        int topic_policy_timeout_ms() default 5_000;
    }

    private static final BrokerConfig NO_CONFIGS = BrokerConfig.with(Map.of());
    private static final Logger log = LoggerFactory.getLogger(Controller.class);
    private static final FoldedErrors errors = new FoldedErrors(log);
    private static final Duration LOOK = Duration.ofMillis(50);
    private static final Duration SNAPSHOT_RETRY = Duration.ofSeconds(30);

    private volatile Duration requestTimeout;
    private volatile int requestsMax;
    private volatile int partitionsMax;
    private volatile int brokersMax;
    private Configs boundConfigs;
    private volatile Supplier<BrokerConfig> nodeConfig = () -> NO_CONFIGS;
    private final Membership membership;
    private final RandomGenerator random;
    private final ControllerThread thread;
    private final StoreLink link;
    private final LocalAdmin local;
    private final AdminCodec codec = new AdminCodec();
    private final Routes routes;
    private final Snapshots snapshots;
    private final Policies policies = new Policies();
    private final Deque<AdminRequest<?, ?>> waiting = new ArrayDeque<>();
    private final Set<AdminRequest<?, ?>> open = ConcurrentHashMap.newKeySet();
    private ClusterView view = ClusterView.EMPTY;
    private Reign reign;
    private final Clock clock;
    private Instant electedAt = Instant.EPOCH;
    private volatile StatusTable status;
    private volatile ClusterConfigs shown = ClusterConfigs.of(ClusterView.EMPTY);
    private volatile List<Trouble> idle = List.of();
    private volatile boolean closing;
    private boolean watching;
    private long decided;

    @Activate
    public Controller(Config config) {
        this(config, ControllerThread.start(), new java.security.SecureRandom());
    }

    Controller(Config config, ControllerThread thread, RandomGenerator random) {
        this(config, thread, random, Clock.systemUTC());
    }

    Controller(Config config, ControllerThread thread, RandomGenerator random, Clock clock) {
        this.clock = clock;
        this.membership = new Membership(() -> brokersMax);
        this.brokersMax = config.brokers_max();
        this.requestTimeout = Duration.ofMillis(config.request_timeout_ms());
        this.requestsMax = config.requests_max();
        this.partitionsMax = config.partitions_max();
        this.random = random;
        this.thread = thread;
        this.link = new StoreLink(thread, new Events());
        Topics topics = new Topics(random, this::randomId, () -> partitionsMax);
        this.local = new LocalAdmin(new Submitted(), topics, policies, this::configs, random);
        this.routes = new Routes(thread, new Knowledge(), local, () -> requestTimeout, () -> requestsMax, codec);
        this.snapshots = new Snapshots(config.snapshot_every_changes(), config.snapshot_every_bytes());
        this.status = table();
        require(config);
    }

    private void require(Config config) {
        Set<String> names = Stream.of(config.topic_policies_required())
                .map(String::trim)
                .filter(name -> !name.isEmpty())
                .collect(toSet());
        policies.require(names, config.topic_policy_timeout_ms());
    }

    /** Applies all settings at once, without a restart of the component. */
    @Modified
    void modified(Config config) {
        requestTimeout = Duration.ofMillis(config.request_timeout_ms());
        requestsMax = config.requests_max();
        brokersMax = config.brokers_max();
        partitionsMax = config.partitions_max();
        require(config);
        thread.execute(() -> snapshots.every(config.snapshot_every_changes(), config.snapshot_every_bytes()));
    }

    @Reference(
            name = "store",
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            unbind = "unbind")
    public void bind(ClusterStore store) {
        thread.execute(() -> link.bind(store));
    }

    /** Requests that another broker decides are sent by this service. */
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    public void bindPeers(Peers peers) {
        routes.bind(peers);
    }

    public void unbindPeers(Peers peers) {
        routes.unbind(peers);
    }

    /** The configs of this node are below those of the cluster: without them, the built-in defaults are. */
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    public synchronized void bindConfigs(Configs configs) {
        boundConfigs = configs;
        nodeConfig = configs::broker;
    }

    /** The values of the configs that leave stay in force until others come. */
    public synchronized void unbindConfigs(Configs configs) {
        if (boundConfigs == configs) {
            BrokerConfig last = configs.broker();
            boundConfigs = null;
            nodeConfig = () -> last;
        }
    }

    /** Ends the term. Requests wait for the next store. */
    public void unbind(ClusterStore store) {
        thread.execute(() -> link.unbind(store));
    }

    @Reference(
            service = TopicPolicy.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    public void bindPolicy(ComponentServiceObjects<TopicPolicy> policy, Map<String, Object> properties) {
        policies.add(policy, properties);
    }

    /** A policy that is required is waited for; one that is not is not asked any more. */
    public void unbindPolicy(ComponentServiceObjects<TopicPolicy> policy) {
        policies.remove(policy);
    }

    /**
     * Resigns as controller. A request whose change is being appended to the metadata log still gets its answer. All
     * other requests fail with COORDINATOR_NOT_AVAILABLE, which clients retry.
     */
    @Deactivate
    public void close() {
        closing = true;
        thread.execute(() -> {
            link.close();
            routes.close();
            waiting.clear();
            open.stream().filter(request -> !request.isBeingWritten()).forEach(Controller::refuse);
        });
        thread.close();
        policies.close();
    }

    private static void refuse(AdminRequest<?, ?> request) {
        request.fail(stopping());
    }

    private static FeliceException stopping() {
        return ErrorCode.COORDINATOR_NOT_AVAILABLE.because("The controller of this broker is being stopped.");
    }

    @Override
    public CompletionStage<Decided<String, CreatedTopic>> createTopics(List<NewTopic> wanted, boolean validateOnly) {
        return routes.call(
                "createTopics", validateOnly, here -> here.createTopics(wanted, validateOnly), wanted, validateOnly);
    }

    @Override
    public CompletionStage<Decided<String, CreatedTopic>> restoreTopic(RestoredTopic topic) {
        return routes.call("restoreTopic", false, here -> here.restoreTopic(topic), topic);
    }

    @Override
    public CompletionStage<Decided<UUID, Void>> deleteTopics(Set<UUID> topicIds) {
        return routes.call("deleteTopics", false, here -> here.deleteTopics(topicIds), topicIds);
    }

    @Override
    public CompletionStage<Decided<String, Void>> createPartitions(
            Map<String, NewPartitions> wanted, boolean validateOnly) {
        return routes.call(
                "createPartitions",
                validateOnly,
                here -> here.createPartitions(wanted, validateOnly),
                wanted,
                validateOnly);
    }

    @Override
    public CompletionStage<Decided<ConfigResource, Void>> alterConfigs(
            Map<ConfigResource, List<ConfigChange>> changes, boolean validateOnly) {
        return routes.call(
                "alterConfigs", true, here -> here.alterConfigs(changes, validateOnly), changes, validateOnly);
    }

    @Override
    public CompletionStage<Decided<UserMechanism, Void>> alterUsers(
            Map<UserMechanism, Optional<ScramCredential>> changes) {
        return routes.call(
                "alterUsers",
                changes.values().stream().allMatch(Optional::isPresent),
                here -> here.alterUsers(changes),
                changes);
    }

    @Override
    public CompletionStage<Decided<Acl, Void>> createAcls(List<Acl> acls) {
        return routes.call("createAcls", true, here -> here.createAcls(acls), acls);
    }

    @Override
    public CompletionStage<Decided<AclFilter, Set<Acl>>> deleteAcls(List<AclFilter> filters) {
        return routes.call("deleteAcls", false, here -> here.deleteAcls(filters), filters);
    }

    @Override
    public CompletionStage<Decided<QuotaEntity, Void>> alterQuotas(
            Map<QuotaEntity, Map<String, Optional<Double>>> changes, boolean validateOnly) {
        return routes.call("alterQuotas", true, here -> here.alterQuotas(changes, validateOnly), changes, validateOnly);
    }

    @Override
    public CompletionStage<Decided<TopicPartition, Void>> electLeaders(
            Optional<Set<TopicPartition>> partitions, boolean unclean) {
        return routes.call("electLeaders", false, here -> here.electLeaders(partitions, unclean), partitions, unclean);
    }

    @Override
    public CompletionStage<Decided<TopicPartition, Void>> reassign(
            Map<TopicPartition, Optional<List<Integer>>> targets) {
        return routes.call(
                "reassign",
                targets.values().stream().allMatch(Optional::isPresent),
                here -> here.reassign(targets),
                targets);
    }

    @Override
    public CompletionStage<MetadataRecord.ProducerIdsAllocated> allocateProducerIds(int brokerId) {
        return routes.call("allocateProducerIds", true, here -> here.allocateProducerIds(brokerId), brokerId);
    }

    @Override
    public CompletionStage<Decided<PartitionId, PartitionState>> alterInSync(
            int brokerId, long brokerEpoch, Map<PartitionId, InSyncChange> changes) {
        return routes.call(
                "alterInSync",
                true,
                here -> here.alterInSync(brokerId, brokerEpoch, changes),
                brokerId,
                brokerEpoch,
                changes);
    }

    @Override
    public CompletionStage<Decided<Integer, Integer>> leave(int brokerId, long brokerEpoch) {
        return routes.call("leave", true, here -> here.leave(brokerId, brokerEpoch), brokerId, brokerEpoch);
    }

    @Override
    public CompletionStage<Decided<Integer, Integer>> drain(int brokerId, boolean begin) {
        return routes.call("drain", true, here -> here.drain(brokerId, begin), brokerId, begin);
    }

    @Override
    public CompletionStage<Decided<Integer, Void>> removeBroker(int brokerId) {
        return routes.call("removeBroker", false, here -> here.removeBroker(brokerId), brokerId);
    }

    private ClusterConfigs configs(ClusterView now) {
        return new ClusterConfigs(now, nodeConfig.get());
    }

    @Override
    public Optional<Integer> controllerId() {
        return link.controllerId();
    }

    @Override
    public List<StatusTable> tables() {
        ClusterConfigs now = shown;
        SecurityView security = now.view().security();
        return List.of(
                status,
                LIMITS.rows(List.of(
                        TableSchema.limit("requests", open.size(), requestsMax),
                        TableSchema.limit("partitions", Topics.partitions(now.view()), partitionsMax),
                        TableSchema.limit("brokers", now.view().brokers().size(), brokersMax),
                        TableSchema.limit("users", security.users().size(), Security.MOST),
                        TableSchema.limit("acls", security.acls().size(), Security.MOST),
                        TableSchema.limit("quotas", security.quotas().size(), Security.MOST))),
                PartitionCounts.table(now),
                policies.table());
    }

    @Override
    public List<Trouble> troubles() {
        List<Trouble> here = link.isControllerElsewhere() ? List.of() : idle;
        return Stream.concat(here.stream(), policies.troubles().stream()).toList();
    }

    /** Decides at once or not at all: the broker that asks knows how to find another controller. */
    @Override
    public CompletionStage<byte[]> decide(byte[] request) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        try {
            AdminCodec.Call call = codec.call(request);
            if (!thread.offer(() -> decide(call, answer))) {
                answer.completeExceptionally(stopping());
            }
        } catch (FeliceException unreadable) {
            answer.completeExceptionally(unreadable);
        }
        return answer;
    }

    private void decide(AdminCodec.Call call, CompletableFuture<byte[]> answer) {
        if (reign == null) {
            answer.completeExceptionally(notController());
            return;
        }
        try {
            call.of(local).whenComplete((bytes, failure) -> {
                if (failure == null) {
                    answer.complete(bytes);
                } else {
                    answer.completeExceptionally(FeliceException.unwrap(failure));
                }
            });
        } catch (FeliceException senseless) {
            answer.completeExceptionally(senseless);
        }
    }

    /** The requests that this node decides, in turn. */
    private final class Submitted implements LocalAdmin.Requests {
        @Override
        public <K, V> CompletionStage<Decided<K, V>> submit(Function<ClusterView, ControllerResult<K, V>> decide) {
            AdminRequest<K, V> request = new AdminRequest<>(decide);
            if (!thread.offer(() -> accept(request))) {
                refuse(request);
            }
            return request.answer();
        }

        @Override
        public Optional<Integer> controllerId() {
            return link.controllerId();
        }
    }

    /** What this node knows of the controller. */
    private final class Knowledge implements Routes.Node {
        @Override
        public boolean isControllerElsewhere() {
            return isElsewhere();
        }

        @Override
        public boolean isController() {
            return reign != null;
        }

        @Override
        public Optional<Integer> controllerId() {
            return link.controllerId();
        }

        @Override
        public String whyUndecided() {
            return "the metadata store is " + (link.isConnected() ? "slow." : "away.");
        }

        @Override
        public void watch() {
            Controller.this.watch();
        }
    }

    /** The store says nothing when another broker becomes the controller, so that it is asked while requests wait. */
    private void watch() {
        if (!watching && !closing) {
            watching = true;
            thread.after(LOOK, this::look);
        }
    }

    private void look() {
        watching = false;
        if (!open.isEmpty() || routes.size() > 0) {
            if (!waiting.isEmpty()) {
                decideAll();
            }
            routes.look();
            watch();
        }
    }

    private void accept(AdminRequest<?, ?> request) {
        if (closing) {
            refuse(request);
            return;
        }
        if (open.size() >= requestsMax) {
            request.fail(ErrorCode.COORDINATOR_NOT_AVAILABLE.because(
                    "The limit of " + requestsMax + " waiting requests is reached."));
            return;
        }
        if (isElsewhere()) {
            request.fail(notController());
            return;
        }
        open.add(request);
        request.answer().whenComplete((answer, failure) -> open.remove(request));
        thread.after(requestTimeout, () -> giveUp(request));
        waiting.add(request);
        decideAll();
        watch();
    }

    private void giveUp(AdminRequest<?, ?> request) {
        if (request.isAnswered()) {
            return;
        }
        waiting.remove(request);
        request.fail(
                ErrorCode.REQUEST_TIMED_OUT.because("The controller did not decide within " + requestTimeout.toMillis()
                        + " ms: the metadata store is " + (link.isConnected() ? "slow." : "away.")));
    }

    private boolean isElsewhere() {
        return reign == null && link.isControllerElsewhere();
    }

    private static FeliceException notController() {
        return ErrorCode.NOT_CONTROLLER.because("This broker is not the controller.");
    }

    private void decideAll() {
        while (isActive() && !waiting.isEmpty()) {
            AdminRequest<?, ?> request = waiting.poll();
            if (!request.isAnswered()) {
                decide(request);
            }
        }
        if (isElsewhere()) {
            waiting.forEach(request -> request.fail(notController()));
            waiting.clear();
        }
        showStatus();
    }

    private boolean isActive() {
        return reign != null && reign.isActive();
    }

    private void decide(AdminRequest<?, ?> request) {
        ControllerResult<?, ?> result;
        try {
            result = request.decide(reign.planned());
        } catch (RuntimeException accident) {
            errors.error("A request could not be decided", accident);
            request.fail(accident);
            return;
        }
        decided++;
        if (result.records().isEmpty()) {
            request.answer(view.version());
            return;
        }
        request.isBeingWritten(true);
        append(result.records()).whenComplete((version, failure) -> written(request, version, failure));
    }

    /** Runs on the store's thread. If the controller's thread has ended, this method answers the request itself. */
    private void written(AdminRequest<?, ?> request, Long version, Throwable failure) {
        if (!closing && thread.offer(() -> answered(request, version, failure))) {
            return;
        }
        if (failure == null) {
            request.answer(version);
        } else {
            refuse(request);
        }
    }

    private void answered(AdminRequest<?, ?> request, Long version, Throwable failure) {
        request.isBeingWritten(false);
        if (request.isAnswered()) {
            return;
        }
        if (failure == null) {
            request.answer(version);
        } else if (FeliceException.codeOf(failure) == ErrorCode.NOT_CONTROLLER && !closing) {
            // The change is certainly not in the log, so the next term of this controller decides the request again.
            waiting.add(request);
            decideAll();
        } else {
            request.fail(failure);
        }
    }

    /**
     * Ends the term if the change is not written, because the changes after it were decided on the assumption that it
     * is.
     */
    private CompletionStage<Long> append(List<MetadataRecord> records) {
        Reign by = reign;
        return by.append(records).whenComplete((version, failure) -> {
            if (failure != null) {
                thread.execute(() -> endOf(by));
            }
        });
    }

    private void endOf(Reign ended) {
        if (reign != null && reign == ended) {
            log.info(
                    "This node is no longer the controller; it was in controller epoch {}",
                    reign.term().epoch());
            reign = null;
            decideAll();
        }
    }

    private void beginIfReplayed() {
        if (reign == null || !reign.mayBegin(view)) {
            return;
        }
        reign.begin(view);
        log.info(
                "This node decides as controller in epoch {}, from version {} of the metadata log on",
                reign.term().epoch(),
                view.version());
        if (view.clusterId().isEmpty()) {
            append(List.of(new MetadataRecord.ClusterNamed(base64(randomId()))));
        }
        brokersChanged();
        balanceLater(reign);
        decideAll();
    }

    /** Looks again and again, for as long as this node reigns, whether the preferred leaders lead. */
    private void balanceLater(Reign by) {
        String seconds = configs(by.planned()).ofBrokers(BrokerConfig.LEADER_IMBALANCE_CHECK_INTERVAL);
        thread.after(Duration.ofSeconds(Long.parseLong(seconds.trim())), () -> {
            if (reign == by) {
                balance();
                balanceLater(by);
            }
        });
    }

    private void balance() {
        ClusterConfigs now = configs(reign.planned());
        if (Boolean.parseBoolean(
                now.ofBrokers(BrokerConfig.AUTO_LEADER_REBALANCE).trim())) {
            List<MetadataRecord> records = Leaders.balanced(now);
            if (!records.isEmpty()) {
                log.info("{} partitions go back to their preferred leaders", records.size());
                append(records);
            }
        }
    }

    private void brokersChanged() {
        Membership.Admission members = membership.decide(reign.planned(), reign.registered());
        List<MetadataRecord> records =
                new ArrayList<>(Leaders.brokersChanged(configs(reign.planned()), members.admitted())
                        .records());
        records.addAll(members.refusals());
        if (!records.isEmpty()) {
            append(records);
        }
    }

    private void showStatus() {
        status = table();
        shown = configs(view);
        idle = isActive() ? List.of() : List.of(Trouble.inPart(whyIdle()));
    }

    private String whyIdle() {
        String why = reign == null ? "it was not elected" : "it still replays the metadata log";
        return "The controller does not decide, " + why + ": topics and settings cannot be changed";
    }

    private StatusTable table() {
        return STATUS.row(
                isActive() ? "controller" : reign != null ? "replaying" : "standby",
                link.controllerId().map(id -> Integer.toString(id)).orElse(""),
                reign == null ? "" : electedAt.toString(),
                reign == null ? -1L : (long) reign.term().epoch(),
                view.version(),
                (long) waiting.size(),
                (long) open.size(),
                decided,
                routes.forwarded(),
                snapshots.taken());
    }

    /**
     * A random id. As in Kafka, no reserved id, and none whose text begins with '-', which command lines would take for
     * an option.
     */
    private UUID randomId() {
        UUID id;
        do {
            id = new UUID(random.nextLong(), random.nextLong());
        } while (base64(id).startsWith("-") || (id.getMostSignificantBits() == 0 && id.getLeastSignificantBits() < 2));
        return id;
    }

    private static String base64(UUID id) {
        byte[] bytes = ByteBuffer.allocate(16)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array();
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** Runs on the controller's thread. */
    private final class Events implements StoreLink.Listener {
        @Override
        public void reset(long version, List<MetadataRecord> snapshot) {
            view = ClusterView.EMPTY.after(version, snapshot);
            snapshots.reset(snapshot.size());
            beginIfReplayed();
            decideAll();
        }

        @Override
        public void changed(long version, List<MetadataRecord> records) {
            ClusterView before = view;
            view = view.after(version, records);
            if (isActive()) {
                Announcements.log(before, view, records);
            }
            snapshots.changed(records);
            beginIfReplayed();
            if (isActive()) {
                snapshots.takeIfDue(reign, view, thread, SNAPSHOT_RETRY);
            }
            showStatus();
        }

        @Override
        public void elected(Term term) {
            reign = new Reign(term);
            electedAt = clock.instant().truncatedTo(ChronoUnit.SECONDS);
            membership.newTerm();
            snapshots.newTerm();
            beginIfReplayed();
            showStatus();
        }

        @Override
        public void deposed() {
            endOf(reign);
        }

        /** A snapshot needs a batch in the log that it covers, so this appends a batch without records. */
        @Override
        public void damaged(String what) {
            if (isActive() && snapshots.wantSoon()) {
                log.warn(
                        "{}. The controller writes a snapshot of all metadata, so that no node needs the lost part any"
                                + " more",
                        what);
                append(List.of());
            }
        }

        @Override
        public void brokers(List<LiveRegistration> live) {
            if (reign != null) {
                reign.registered(live);
                if (isActive()) {
                    brokersChanged();
                } else {
                    beginIfReplayed();
                }
                decideAll();
            }
        }
    }
}
