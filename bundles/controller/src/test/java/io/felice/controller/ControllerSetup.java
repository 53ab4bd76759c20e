package io.felice.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.Subscription;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.Outcome;
import io.felice.api.cluster.PartitionState;
import io.felice.testkit.MemoryClusterStore;
import io.felice.testkit.RecordingFollower;
import java.lang.annotation.Annotation;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/** A controller on a cluster store in memory. Everything runs on the test's thread. */
final class ControllerSetup {
    static final int MANY_BROKERS = 100;

    final MemoryClusterStore cluster = new MemoryClusterStore(Runnable::run);
    final InlineThread thread = new InlineThread();
    final Controller controller;
    final RecordingFollower follower = new RecordingFollower();

    ControllerSetup() {
        this(new Random(1));
    }

    ControllerSetup(Random random) {
        controller = new Controller(config(), thread, random);
        cluster.follow(follower);
    }

    /** A setup whose controller is elected and in which these brokers are registered. */
    static ControllerSetup withBrokers(int... ids) {
        ControllerSetup setup = new ControllerSetup();
        setup.controller.bind(setup.cluster);
        for (int id : ids) {
            setup.register(broker(id));
        }
        return setup;
    }

    Subscription register(BrokerRegistration broker) {
        return cluster.register(broker, new SilentListener());
    }

    ClusterView view() {
        return follower.view();
    }

    PartitionState partition(String topic, int partition) {
        return view().topic(topic).orElseThrow().partition(partition).orElseThrow();
    }

    UUID topicId(String topic) {
        return view().topic(topic).orElseThrow().topicId();
    }

    void create(String topic, int partitions, int replicationFactor) {
        Outcome<?> outcome = only(controller.createTopics(List.of(topic(topic, partitions, replicationFactor)), false));
        assertThat(outcome.error()).as(outcome.message()).isEqualTo(ErrorCode.NONE);
    }

    static NewTopic topic(String name, int partitions, int replicationFactor) {
        return new NewTopic(name, partitions, replicationFactor, Map.of(), Map.of());
    }

    /** The outcome of a request with one item. Fails if the request is not answered yet. */
    static <V> Outcome<V> only(CompletionStage<? extends Decided<?, V>> stage) {
        assertThat(stage.toCompletableFuture()).isCompleted();
        Decided<?, V> decided = stage.toCompletableFuture().join();
        assertThat(decided.outcomes()).hasSize(1);
        return decided.outcomes().values().iterator().next();
    }

    /** Lets the time pass in small steps, as tasks that begin others do. */
    static void pass(InlineThread thread, Duration time) {
        for (long ms = 0; ms < time.toMillis(); ms += 50) {
            thread.pass(Duration.ofMillis(50));
        }
    }

    static BrokerRegistration broker(int id) {
        return broker(id, new UUID(7, id));
    }

    static BrokerRegistration broker(int id, UUID storeId) {
        return new BrokerRegistration(
                id,
                UUID.randomUUID(),
                storeId,
                List.of(new BrokerRegistration.Endpoint("PLAINTEXT", "PLAINTEXT", "localhost", 9000 + id)),
                null);
    }

    static final int PARTITIONS_MAX = 15_000;

    static Controller.Config config() {
        return config(100);
    }

    static final int POLICY_TIMEOUT_MS = 500;

    static Controller.Config config(int requestsMax) {
        return config(requestsMax, List.of());
    }

    static Controller.Config config(int requestsMax, List<String> requiredPolicies) {
        return new Controller.Config() {
            @Override
            public long request_timeout_ms() {
                return 5_000;
            }

            @Override
            public int requests_max() {
                return requestsMax;
            }

            @Override
            public int partitions_max() {
                return PARTITIONS_MAX;
            }

            @Override
            public int brokers_max() {
                return MANY_BROKERS;
            }

            @Override
            public long snapshot_every_changes() {
                return 50;
            }

            @Override
            public long snapshot_every_bytes() {
                return 1 << 20;
            }

            @Override
            public String[] topic_policies_required() {
                return requiredPolicies.toArray(String[]::new);
            }

            @Override
            public int topic_policy_timeout_ms() {
                return POLICY_TIMEOUT_MS;
            }

            @Override
            public Class<? extends Annotation> annotationType() {
                return Controller.Config.class;
            }
        };
    }
}
