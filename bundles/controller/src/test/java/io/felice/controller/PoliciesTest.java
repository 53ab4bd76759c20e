package io.felice.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.ConfigChange;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.Admin.NewPartitions;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.InternalTopics;
import io.felice.api.cluster.Outcome;
import io.felice.api.config.ConfigResource;
import io.felice.api.policy.TopicChange;
import io.felice.api.policy.TopicPolicy;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.status.Trouble;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.ComponentServiceObjects;

/** What the policies of plugins decide about topics. */
class PoliciesTest {
    private static final int PATIENCE_SECONDS = 60;

    private final ControllerSetup setup = ControllerSetup.withBrokers(1);
    private final CountDownLatch never = new CountDownLatch(1);

    @AfterEach
    void close() {
        never.countDown();
        setup.controller.close();
    }

    private ComponentServiceObjects<TopicPolicy> install(String name, TopicPolicy policy) {
        ComponentServiceObjects<TopicPolicy> offered = new Offered(policy);
        setup.controller.bindPolicy(offered, Map.of(TopicPolicy.NAME, name));
        return offered;
    }

    private record Offered(TopicPolicy getService) implements ComponentServiceObjects<TopicPolicy> {
        @Override
        public void ungetService(TopicPolicy service) {
            // There is nothing to give back.
        }

        @Override
        public ServiceReference<TopicPolicy> getServiceReference() {
            return null;
        }
    }

    private void require(String... names) {
        setup.controller.modified(ControllerSetup.config(100, List.of(names)));
    }

    private static <V> Outcome<V> only(CompletionStage<? extends Decided<?, V>> stage) {
        Decided<?, V> decided = all(stage);
        assertThat(decided.outcomes()).hasSize(1);
        return decided.outcomes().values().iterator().next();
    }

    private static <D> D all(CompletionStage<? extends D> stage) {
        return stage.toCompletableFuture()
                .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
                .join();
    }

    private Outcome<?> create(String name, Map<String, String> configs) {
        return only(setup.controller.createTopics(List.of(new NewTopic(name, 2, 1, Map.of(), configs)), false));
    }

    private static TopicPolicy refusing(TopicChange what, String reason) {
        return change -> change.equals(what) ? Optional.of(reason) : Optional.empty();
    }

    @Test
    void aRefusedTopicIsNotCreatedAndTheClientGetsTheReason() {
        install("names", refusing(new TopicChange.Creation("bad", 2, 1, Map.of("retention.ms", "1")), "not so short"));

        Map<String, ? extends Outcome<?>> outcomes = all(setup.controller.createTopics(
                        List.of(
                                new NewTopic("bad", 2, 1, Map.of(), Map.of("retention.ms", "1")),
                                new NewTopic("good", 2, 1, Map.of(), Map.of()),
                                new NewTopic("impossible", 2, 9, Map.of(), Map.of())),
                        false))
                .outcomes();

        assertThat(outcomes.get("bad").error()).isEqualTo(ErrorCode.POLICY_VIOLATION);
        assertThat(outcomes.get("bad").message()).isEqualTo("not so short");
        assertThat(outcomes.get("good").error()).isEqualTo(ErrorCode.NONE);
        assertThat(outcomes.get("impossible").error()).isEqualTo(ErrorCode.INVALID_REPLICATION_FACTOR);
        assertThat(setup.view().topic("bad")).isEmpty();
        assertThat(setup.view().topic("good")).isPresent();
    }

    @Test
    void aPolicySeesWhoAsksAndThatNobodyIsKnownToAsk() {
        setup.create("orders", 2, 1);
        Requester alice = new Requester(Principal.user("alice"), InetAddress.getLoopbackAddress());
        List<Optional<Requester>> seen = new CopyOnWriteArrayList<>();
        install("who", change -> {
            seen.add(change.requester());
            return change.requester().equals(Optional.of(alice)) ? Optional.empty() : Optional.of("only alice may");
        });
        Admin byAlice = setup.controller.askedBy(alice);
        ConfigResource orders = ConfigResource.topic("orders");
        List<ConfigChange> retention = List.of(new ConfigChange("retention.ms", ConfigChange.Operation.SET, "7"));

        Outcome<?> byNobody = create("t", Map.of());
        Outcome<?> created = only(byAlice.createTopics(List.of(new NewTopic("t", 2, 1, Map.of(), Map.of())), false));
        Outcome<?> grown = only(byAlice.createPartitions(Map.of("orders", new NewPartitions(3, List.of())), false));
        Outcome<?> configured = only(byAlice.alterConfigs(Map.of(orders, retention), false));
        Outcome<?> deleted = only(byAlice.deleteTopics(Set.of(setup.topicId("orders"))));

        assertThat(byNobody.message()).isEqualTo("only alice may");
        assertThat(List.of(created, grown, configured, deleted)).noneMatch(Outcome::isFailed);
        assertThat(seen).hasSize(5).startsWith(Optional.empty());
    }

    @Test
    void aPolicySeesThePartitionsAndTheConfigsThatATopicHasAndWouldHave() {
        setup.create("orders", 2, 1);
        ConfigResource topic = ConfigResource.topic("orders");
        all(setup.controller.alterConfigs(
                Map.of(topic, List.of(new ConfigChange("retention.ms", ConfigChange.Operation.SET, "7"))), false));
        install(
                "rules",
                change -> change instanceof TopicChange.Creation ? Optional.empty() : Optional.of(change.toString()));

        assertThat(only(setup.controller.createPartitions(Map.of("orders", new NewPartitions(5, List.of())), false))
                        .message())
                .isEqualTo(new TopicChange.MorePartitions("orders", 2, 5).toString());
        assertThat(only(setup.controller.alterConfigs(
                                Map.of(
                                        topic,
                                        List.of(new ConfigChange(
                                                "cleanup.policy", ConfigChange.Operation.APPEND, "compact"))),
                                true))
                        .message())
                .contains("before={retention.ms=7}")
                .contains("cleanup.policy=delete,compact")
                .contains("retention.ms=7");
        assertThat(only(setup.controller.deleteTopics(Set.of(setup.topicId("orders"))))
                        .message())
                .isEqualTo(new TopicChange.Deletion("orders").toString());
        assertThat(setup.view().topic("orders").orElseThrow().partitions()).hasSize(2);
    }

    @Test
    void noPolicyIsAskedAboutTheOffsetsTopicAndTheConfigsOfBrokers() {
        install("no", change -> Optional.of("never"));

        assertThat(create(InternalTopics.CONSUMER_OFFSETS, Map.of()).error()).isEqualTo(ErrorCode.NONE);
        assertThat(only(setup.controller.alterConfigs(
                                Map.of(
                                        ConfigResource.allBrokers(),
                                        List.of(new ConfigChange("log.retention.ms", ConfigChange.Operation.SET, "7"))),
                                false))
                        .error())
                .isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aPolicyThatThrowsOrAnswersNullRefusesWhatItWasAskedAbout() {
        install("throws", change -> {
            if (change.topic().equals("odd")) {
                throw new IllegalStateException("a mistake");
            }
            return change.topic().equals("null") ? null : Optional.empty();
        });

        assertThat(create("odd", Map.of()).error()).isEqualTo(ErrorCode.POLICY_VIOLATION);
        assertThat(create("odd", Map.of()).message())
                .isEqualTo("The topic policy throws has failed, so nothing is changed; the log of the node says why.");
        assertThat(create("null", Map.of()).error()).isEqualTo(ErrorCode.POLICY_VIOLATION);
        assertThat(create("even", Map.of()).error()).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aPolicyThatHangsRefusesWithARetriableErrorAndHoldsUpNothingElse() {
        install("hangs", change -> {
            try {
                never.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return Optional.empty();
        });

        assertThat(create("orders", Map.of()).error()).isEqualTo(ErrorCode.REQUEST_TIMED_OUT);
        assertThat(setup.view().topic("orders")).isEmpty();
        assertThat(all(setup.controller.allocateProducerIds(1)).brokerId()).isEqualTo(1);
    }

    @Test
    void aRequiredPolicyThatIsAwayIsWaitedForAndThenNothingIsChanged() {
        require("names");

        assertThat(create("orders", Map.of()).error()).isEqualTo(ErrorCode.REQUEST_TIMED_OUT);
        assertThat(setup.controller.troubles())
                .extracting(Trouble::reason)
                .containsExactly("Topics cannot be created, changed or deleted: the topic policy names, which the"
                        + " setting topic.policies.required names, is not there");

        CompletionStage<? extends Decided<?, ?>> waiting =
                setup.controller.createTopics(List.of(ControllerSetup.topic("orders", 1, 1)), false);
        install("names", change -> Optional.empty());

        assertThat(all(waiting).outcomes().values()).noneMatch(Outcome::isFailed);
        assertThat(setup.controller.troubles()).isEmpty();
    }

    @Test
    void aPolicyThatIsNotRequiredIsNotMissedWhenItHasGone() {
        ComponentServiceObjects<TopicPolicy> policy = install("names", change -> Optional.of("no"));
        assertThat(create("orders", Map.of()).error()).isEqualTo(ErrorCode.POLICY_VIOLATION);

        setup.controller.unbindPolicy(policy);

        assertThat(create("orders", Map.of()).error()).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void aChangeThatHasBecomeAnotherOneWhileAPolicyWasAskedIsNotMade() {
        setup.create("orders", 2, 1);
        install("slow", change -> {
            if (change instanceof TopicChange.MorePartitions more && more.after() == 5) {
                setup.controller
                        .createPartitions(Map.of("orders", new NewPartitions(3, List.of())), false)
                        .toCompletableFuture()
                        .join();
            }
            return Optional.empty();
        });

        Outcome<?> outcome =
                only(setup.controller.createPartitions(Map.of("orders", new NewPartitions(5, List.of())), false));

        assertThat(outcome.error()).isEqualTo(ErrorCode.REQUEST_TIMED_OUT);
        assertThat(setup.view().topic("orders").orElseThrow().partitions()).hasSize(3);
    }
}
