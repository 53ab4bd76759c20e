package io.felice.controller;

import static java.util.stream.Collectors.toSet;

import io.felice.api.FeliceException;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.ForwardedRequests;
import io.felice.api.cluster.Peers;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.Configs;
import io.felice.api.policy.TopicPolicy;
import io.felice.api.security.AuditLog;
import io.felice.api.security.Requester;
import io.felice.api.security.SecurityView;
import io.felice.api.status.HealthSource;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import io.felice.api.status.Trouble;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
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

/**
 * Stands for election as the cluster's controller. While it is the controller, it decides about topics, configs and
 * leaders.
 *
 * <p>All state belongs to one thread. Requests and the store's callbacks run on that thread. {@link ControllerRole} is what
 * this node is after an election, {@link AdminQueue} has the requests that it decides. While the store is away or an election
 * is under way, requests wait; the settings limit how many wait and how long. While another broker is the controller,
 * requests are sent to it ({@link Routes}).
 */
@Component(
        service = {Admin.class, ForwardedRequests.class, StatusSource.class, HealthSource.class},
        immediate = true,
        configurationPid = "io.felice.controller")
@Designate(ocd = Controller.Config.class)
public final class Controller extends AdminCalls implements ForwardedRequests, StatusSource, HealthSource {
    private static final TableSchema STATUS = TableSchema.of("controller", "The controller of this node")
            .text(
                    "role",
                    "controller: decides for the cluster; cut off: the store does not answer, so another node may be the"
                            + " controller, and nothing is decided; replaying: reads the metadata first; standby: does"
                            + " not decide")
            .text("controller", "The broker id of the controller; empty if none is known")
            .text("since", "Since when that broker is the controller; empty if it is not known")
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
    private static final Duration LOOK = Duration.ofMillis(50);

    private volatile Duration requestTimeout;
    private volatile int requestsMax;
    private volatile int partitionsMax;
    private volatile int brokersMax;
    private Configs boundConfigs;
    private volatile Supplier<BrokerConfig> nodeConfig = () -> NO_CONFIGS;
    private volatile AuditLog audit;
    private final ControllerThread thread;
    private final AdminCodec codec = new AdminCodec();
    private final Snapshots snapshots;
    private final Policies policies = new Policies();
    private final ControllerRole role;
    private final AdminQueue queue;
    private final LocalAdmin local;
    private final Routes routes;
    private final MetadataReports reports;
    private volatile StatusTable status;
    private volatile ClusterConfigs shown = ClusterConfigs.of(ClusterView.EMPTY);
    private volatile List<Trouble> idle = List.of();
    private volatile boolean closing;
    private boolean watching;

    @Activate
    public Controller(Config config) {
        this(config, ControllerThread.start(), new java.security.SecureRandom());
    }

    Controller(Config config, ControllerThread thread, RandomGenerator random) {
        this(config, thread, random, Clock.systemUTC());
    }

    Controller(Config config, ControllerThread thread, RandomGenerator random, Clock clock) {
        this.brokersMax = config.brokers_max();
        this.requestTimeout = Duration.ofMillis(config.request_timeout_ms());
        this.requestsMax = config.requests_max();
        this.partitionsMax = config.partitions_max();
        this.thread = thread;
        RandomIds ids = new RandomIds(random);
        this.snapshots = new Snapshots(config.snapshot_every_changes(), config.snapshot_every_bytes());
        this.role = new ControllerRole(thread, ids, clock, this::configs, () -> brokersMax, snapshots, this::changed);
        this.queue = new AdminQueue(thread, role, () -> requestTimeout, () -> requestsMax, this::watch);
        Topics topics = new Topics(random, ids::next, () -> partitionsMax);
        this.local = new LocalAdmin(queue, topics, policies, this::configs, random, new AppliedVersions(clock), role);
        this.routes = new Routes(thread, new Knowledge(), local, () -> requestTimeout, () -> requestsMax, codec);
        this.reports = new MetadataReports(thread, this);
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
        thread.execute(() -> role.bind(store));
    }

    /** Requests that another broker decides are sent by this service. */
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    public void bindPeers(Peers peers) {
        routes.bind(peers);
    }

    public void unbindPeers(Peers peers) {
        routes.unbind(peers);
    }

    /** What the broker of this node has applied is reported to the controller. */
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    public void bindMetadata(ClusterMetadata broker) {
        reports.bind(broker);
    }

    public void unbindMetadata(ClusterMetadata broker) {
        reports.unbind(broker);
    }

    /** The requests of clients that other brokers have forwarded are written there. */
    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    public void bindAudit(AuditLog arrived) {
        audit = arrived;
    }

    public void unbindAudit(AuditLog gone) {
        if (audit == gone) {
            audit = null;
        }
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
        thread.execute(() -> role.unbind(store));
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
            role.close();
            routes.close();
            queue.close();
        });
        thread.close();
        policies.close();
    }

    @Override
    <T> CompletionStage<T> call(
            String method, boolean isHarmless, Function<Admin, CompletionStage<T>> step, Object... arguments) {
        return routes.call(Optional.empty(), method, isHarmless, step, arguments);
    }

    @Override
    public Admin askedBy(Requester requester) {
        return new AskedBy(requester);
    }

    /** The requests of a client. */
    private final class AskedBy extends AdminCalls {
        private final Requester requester;

        AskedBy(Requester requester) {
            this.requester = requester;
        }

        @Override
        <T> CompletionStage<T> call(
                String method, boolean isHarmless, Function<Admin, CompletionStage<T>> step, Object... arguments) {
            return routes.call(Optional.of(requester), method, isHarmless, step, arguments);
        }

        @Override
        public Optional<Integer> controllerId() {
            return Controller.this.controllerId();
        }

        @Override
        public Optional<Instant> controllerSince() {
            return Controller.this.controllerSince();
        }

        @Override
        public Admin askedBy(Requester other) {
            return Controller.this.askedBy(other);
        }
    }

    private ClusterConfigs configs(ClusterView now) {
        return new ClusterConfigs(now, nodeConfig.get());
    }

    @Override
    public Optional<Integer> controllerId() {
        return role.controllerId();
    }

    @Override
    public Optional<Instant> controllerSince() {
        return role.controllerSince();
    }

    @Override
    public List<StatusTable> tables() {
        ClusterConfigs now = shown;
        SecurityView security = now.view().security();
        return List.of(
                status,
                LIMITS.rows(List.of(
                        TableSchema.limit("requests", queue.open(), requestsMax),
                        TableSchema.limit("partitions", now.view().partitionCount(), partitionsMax),
                        TableSchema.limit("brokers", now.view().brokers().size(), brokersMax),
                        TableSchema.limit("users", security.users().size(), Security.MOST),
                        TableSchema.limit("acls", security.acls().size(), Security.MOST),
                        TableSchema.limit("quotas", security.quotas().size(), Security.MOST))),
                PartitionCounts.table(now),
                reports.table(),
                policies.table());
    }

    @Override
    public List<Trouble> troubles() {
        List<Trouble> here = role.isKnownElsewhere() ? List.of() : idle;
        return Stream.concat(here.stream(), policies.troubles().stream()).toList();
    }

    /** Decides at once or not at all: the broker that asks knows how to find another controller. */
    @Override
    public CompletionStage<byte[]> decide(Optional<Requester> requester, byte[] request) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        try {
            AdminCodec.Call call = codec.call(request);
            if (!thread.offer(() -> decide(requester, call, answer))) {
                answer.completeExceptionally(AdminQueue.stopping());
            }
        } catch (FeliceException unreadable) {
            answer.completeExceptionally(unreadable);
        }
        return answer;
    }

    private void decide(Optional<Requester> requester, AdminCodec.Call call, CompletableFuture<byte[]> answer) {
        if (!role.isElected() || role.isActive() && !role.mayDecide()) {
            answer.completeExceptionally(AdminQueue.notController());
            return;
        }
        try {
            call.of(local.askedBy(requester)).whenComplete((bytes, failure) -> {
                if (failure == null) {
                    requester.ifPresent(client -> write(client, call.method()));
                    answer.complete(bytes);
                } else {
                    answer.completeExceptionally(FeliceException.unwrap(failure));
                }
            });
        } catch (FeliceException senseless) {
            answer.completeExceptionally(senseless);
        }
    }

    /** What the request was about and which rights it needed is in the audit log of the broker that has forwarded it. */
    private void write(Requester client, String method) {
        AuditLog present = audit;
        if (present != null) {
            present.changed(client.principal() + " at " + client.host().getHostAddress(), method + ", forwarded");
        }
    }

    /** What this node knows of the controller. */
    private final class Knowledge implements Routes.Node {
        @Override
        public boolean isControllerElsewhere() {
            return role.isElsewhere();
        }

        @Override
        public boolean isController() {
            return role.isElected();
        }

        @Override
        public Optional<Integer> controllerId() {
            return role.controllerId();
        }

        @Override
        public String whyUndecided() {
            return role.whyUndecided();
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
        if (queue.open() > 0 || routes.size() > 0) {
            if (queue.waiting() > 0) {
                changed();
            }
            routes.look();
            watch();
        }
    }

    private void changed() {
        queue.decideAll();
        status = table();
        shown = configs(role.view());
        idle = role.isActive() ? List.of() : List.of(Trouble.inPart(whyIdle()));
    }

    private String whyIdle() {
        String why = role.isElected() ? "it still replays the metadata log" : "it was not elected";
        return "The controller does not decide, " + why + ": topics and settings cannot be changed";
    }

    private StatusTable table() {
        return STATUS.row(
                state(),
                role.controllerId().map(id -> Integer.toString(id)).orElse(""),
                role.electedAt()
                        .or(role::controllerSince)
                        .map(Instant::toString)
                        .orElse(""),
                role.epoch(),
                role.view().version(),
                (long) queue.waiting(),
                (long) queue.open(),
                queue.decided(),
                routes.forwarded(),
                snapshots.taken());
    }

    private String state() {
        if (role.isActive()) {
            return role.mayDecide() ? "controller" : "cut off";
        }
        return role.isElected() ? "replaying" : "standby";
    }
}
