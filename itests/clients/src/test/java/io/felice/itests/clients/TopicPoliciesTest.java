package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.policy.TopicChange;
import io.felice.api.policy.TopicPolicy;
import io.felice.controller.Controller;
import io.felice.itests.rig.Java;
import io.felice.testkit.FeliceNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.ComponentServiceObjects;

/** What clients of Kafka see of a topic policy. */
@Timeout(60)
class TopicPoliciesTest {
    private static final String REASON = "The topic is the archive's.";

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

    private static Optional<String> refusal(TopicChange change) {
        boolean isTheArchive = change instanceof TopicChange.Creation
                && change.equals(new TopicChange.Creation("archive", 1, 1, Map.of(), change.requester()));
        return change.topic().startsWith("archive") && !isTheArchive ? Optional.of(REASON) : Optional.empty();
    }

    @Test
    void aClientGetsThePolicysReasonForEveryChangeThatItRefuses() throws Exception {
        try (FeliceNode node = FeliceNode.inMemory().start();
                Admin admin = Java.admin(node.bootstrap())) {
            Controller controller = (Controller) node.service(io.felice.api.cluster.Admin.class);
            controller.bindPolicy(new Offered(TopicPoliciesTest::refusal), Map.of(TopicPolicy.NAME, "archive"));
            ConfigResource archive = new ConfigResource(ConfigResource.Type.TOPIC, "archive");

            Java.get(admin.createTopics(
                            List.of(new NewTopic("archive", 1, (short) 1), new NewTopic("orders", 3, (short) 1)))
                    .all());

            refused(admin.createTopics(List.of(new NewTopic("archive2", 1, (short) 1)))
                    .all());
            refused(admin.createPartitions(Map.of("archive", NewPartitions.increaseTo(2)))
                    .all());
            refused(admin.incrementalAlterConfigs(Map.of(
                            archive,
                            List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "1"), AlterConfigOp.OpType.SET))))
                    .all());
            refused(admin.deleteTopics(List.of("archive")).all());
            assertThat(Java.get(admin.listTopics().names())).containsExactlyInAnyOrder("archive", "orders");
            assertThat(Java.get(admin.describeTopics(List.of("archive")).allTopicNames())
                            .get("archive")
                            .partitions())
                    .hasSize(1);
            aTopicIsNotCreatedBecauseSomebodyAsksForIt(node);
        }
    }

    private static void aTopicIsNotCreatedBecauseSomebodyAsksForIt(FeliceNode node) {
        try (KafkaProducer<String, String> producer =
                Java.textProducer(node.bootstrap(), Map.of("max.block.ms", 2_000))) {
            assertThatThrownBy(() -> producer.send(new ProducerRecord<>("archive3", "value"))
                            .get())
                    .isInstanceOf(ExecutionException.class);
        }
    }

    private static void refused(KafkaFuture<?> change) {
        assertThatThrownBy(change::get)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(PolicyViolationException.class)
                .hasMessage(REASON);
    }
}
