package io.felice.testkit;

import io.felice.api.policy.TopicChange;
import io.felice.api.policy.TopicPolicy;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** The mistakes are put into a policy with one rule. */
class TopicPolicyBugsTest extends TopicPolicyBugsContract {
    private static final TopicPolicy NO_TEST_TOPICS =
            change -> change instanceof TopicChange.Creation && change.topic().startsWith("test-")
                    ? Optional.of("The name of a topic must not begin with test-.")
                    : Optional.empty();

    @Override
    protected TopicPolicyContract contract(UnaryOperator<TopicPolicy> mistake) {
        return new TopicPolicyContract() {
            @Override
            protected TopicPolicy policy() {
                return mistake.apply(NO_TEST_TOPICS);
            }

            @Override
            protected List<TopicChange> allowed() {
                return List.of(
                        new TopicChange.Creation("orders", 3, 1, Map.of()), new TopicChange.Deletion("test-orders"));
            }

            @Override
            protected List<TopicChange> refused() {
                return List.of(new TopicChange.Creation("test-orders", 3, 1, Map.of()));
            }
        };
    }
}
