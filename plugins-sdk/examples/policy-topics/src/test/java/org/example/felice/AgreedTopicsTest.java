package org.example.felice;

import io.felice.api.policy.TopicChange;
import io.felice.api.policy.TopicPolicy;
import io.felice.testkit.TestSettings;
import io.felice.testkit.TopicPolicyContract;
import java.util.List;
import java.util.Map;

class AgreedTopicsTest extends TopicPolicyContract {
    @Override
    protected TopicPolicy policy() {
        return new AgreedTopics(TestSettings.of(AgreedTopics.Config.class, Map.of("kept", "audit")));
    }

    @Override
    protected List<TopicChange> allowed() {
        return List.of(
                new TopicChange.Creation("orders-eu", 100, 1, Map.of()),
                new TopicChange.MorePartitions("orders-eu", 1, 100),
                new TopicChange.OtherConfigs("Orders", Map.of(), Map.of("retention.ms", "1")),
                new TopicChange.Deletion("orders-eu"));
    }

    @Override
    protected List<TopicChange> refused() {
        return List.of(
                new TopicChange.Creation("Orders", 1, 1, Map.of()),
                new TopicChange.Creation("orders", 101, 1, Map.of()),
                new TopicChange.MorePartitions("orders", 1, 101),
                new TopicChange.Deletion("audit"));
    }
}
