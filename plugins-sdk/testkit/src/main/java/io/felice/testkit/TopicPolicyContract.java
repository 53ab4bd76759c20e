package io.felice.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.policy.TopicChange;
import io.felice.api.policy.TopicPolicy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * The tests that every topic policy must pass. Each test checks a promise of {@link TopicPolicy}. A subclass makes the
 * policy, and says what it has to allow and to refuse.
 */
public abstract class TopicPolicyContract {
    private static final int LIMIT_SECONDS = 5;
    private static final int ROUNDS = 50;
    private static final int LONGEST_REASON = 1_000;
    private static final int LONGEST_NAME = 249;
    private static final int LONGEST_VALUE = 32_767;

    /** A fresh policy. */
    protected abstract TopicPolicy policy();

    /** Changes that the policy has to allow; at least one. */
    protected abstract List<TopicChange> allowed();

    /** Changes that the policy has to refuse; at least one. */
    protected abstract List<TopicChange> refused();

    /** A kind of change that a later version of Felice may have. */
    private record UnknownChange(String topic) implements TopicChange {}

    private static Optional<String> ask(TopicPolicy policy, TopicChange change) {
        Optional<String> refusal = CompletableFuture.supplyAsync(() -> policy.refusal(change))
                .orTimeout(LIMIT_SECONDS, TimeUnit.SECONDS)
                .join();
        assertThat(refusal).as("the answer about " + change).isNotNull();
        return refusal;
    }

    @Test
    void whatHasToBeAllowedIsAllowed() {
        TopicPolicy policy = policy();
        assertThat(allowed()).isNotEmpty();
        allowed()
                .forEach(change ->
                        assertThat(ask(policy, change)).as(change.toString()).isEmpty());
    }

    @Test
    void whatHasToBeRefusedIsRefused() {
        TopicPolicy policy = policy();
        assertThat(refused()).isNotEmpty();
        refused()
                .forEach(change ->
                        assertThat(ask(policy, change)).as(change.toString()).isPresent());
    }

    @Test
    void aReasonIsASentenceOnOneLine() {
        TopicPolicy policy = policy();
        for (TopicChange change : refused()) {
            assertThat(ask(policy, change).orElseThrow())
                    .as(change.toString())
                    .isNotBlank()
                    .hasSizeLessThanOrEqualTo(LONGEST_REASON)
                    .matches("\\P{Cntrl}*");
        }
    }

    @Test
    void anAnswerDependsOnTheChangeAlone() {
        TopicPolicy policy = policy();
        for (int i = 0; i < 3; i++) {
            allowed().forEach(change -> assertThat(ask(policy, change))
                    .as(change.toString())
                    .isEmpty());
            refused().forEach(change -> assertThat(ask(policy, change))
                    .as(change.toString())
                    .isPresent());
        }
        for (TopicChange change : refused()) {
            assertThat(ask(policy(), change)).isEqualTo(ask(policy, change));
        }
    }

    @Test
    void changesAtTheSameTimeDoNotMixUp() throws Exception {
        TopicPolicy policy = policy();
        List<Callable<Void>> askers = new ArrayList<>();
        for (boolean isAllowed : List.of(true, false, true, false)) {
            List<TopicChange> changes = isAllowed ? allowed() : refused();
            askers.add(() -> {
                for (int i = 0; i < ROUNDS; i++) {
                    for (TopicChange change : changes) {
                        assertThat(policy.refusal(change).isEmpty())
                                .as(change.toString())
                                .isEqualTo(isAllowed);
                    }
                }
                return null;
            });
        }
        AtTheSameTime.run(askers);
    }

    @Test
    void aKindOfChangeThatThePolicyDoesNotKnowIsAllowed() {
        TopicPolicy policy = policy();
        for (TopicChange known : refused()) {
            assertThat(ask(policy, new UnknownChange(known.topic()))).isEmpty();
        }
        assertThat(ask(policy, new UnknownChange("orders"))).isEmpty();
    }

    @Test
    void everyTopicThatKafkaAllowsGetsAnAnswer() {
        TopicPolicy policy = policy();
        Map<String, String> many = new HashMap<>();
        for (String key : List.of("cleanup.policy", "retention.ms", "retention.bytes", "min.insync.replicas")) {
            many.put(key, "x".repeat(LONGEST_VALUE));
        }
        for (String name : List.of("a", "_", "-", "..a", "A.b_c-d", "x".repeat(LONGEST_NAME))) {
            for (Map<String, String> configs : List.of(Map.<String, String>of(), Map.of("retention.ms", "-1"), many)) {
                ask(policy, new TopicChange.Creation(name, 1, 1, configs));
                ask(policy, new TopicChange.Creation(name, Integer.MAX_VALUE, Short.MAX_VALUE, configs));
                ask(policy, new TopicChange.OtherConfigs(name, configs, Map.of()));
                ask(policy, new TopicChange.OtherConfigs(name, Map.of(), configs));
            }
            ask(policy, new TopicChange.MorePartitions(name, 1, Integer.MAX_VALUE));
            ask(policy, new TopicChange.Deletion(name));
        }
    }
}
