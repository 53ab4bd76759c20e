package io.felice.itests.container;

import static java.util.stream.Collectors.toMap;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * In each round creates and deletes a topic, queries groups, offsets and configurations, and opens a producer.
 * Committed offsets and log end offsets must never decrease.
 */
final class TrafficAdmin extends TrafficClient {
    private static final long PAUSE_MS = 50;

    private final String bootstrap;
    private final String group;
    private final List<TopicPartition> partitions;
    private final Admin admin;
    private final Map<TopicPartition, Long> ends = new HashMap<>();
    private final Map<TopicPartition, Long> committed = new HashMap<>();
    private volatile long rounds;

    TrafficAdmin(String bootstrap, String topic, Queue<String> failures) {
        super("admin", failures);
        this.bootstrap = bootstrap;
        this.group = Traffic.group(topic);
        this.partitions = Traffic.partitions(topic);
        this.admin = Admin.create(settings(bootstrap, Map.of()));
    }

    /** The number of complete rounds. */
    long rounds() {
        return rounds;
    }

    long closedConnections() {
        return closedConnections(admin.metrics());
    }

    @Override
    void work() throws InterruptedException {
        try (admin) {
            while (!ends()) {
                String topic = group + "-" + rounds;
                ask("createTopics", () -> admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1)))
                        .all()
                        .get());
                ask("a new producer", () -> writeOne(topic));
                ask("listOffsets", () -> forward("end", ends, endOffsets()));
                ask(
                        "describeConsumerGroups",
                        () -> admin.describeConsumerGroups(List.of(group)).all().get());
                ask("listConsumerGroupOffsets", () -> forward("committed offset", committed, committedOffsets()));
                ask("describeConfigs", () -> admin.describeConfigs(
                                List.of(new ConfigResource(ConfigResource.Type.TOPIC, topic)))
                        .all()
                        .get());
                ask("describeCluster", () -> admin.describeCluster().nodes().get());
                ask(
                        "deleteTopics",
                        () -> admin.deleteTopics(List.of(topic)).all().get());
                ask("listTopics", () -> mustBeGone(topic));
                rounds++;
                Thread.sleep(PAUSE_MS);
            }
        }
    }

    private Object mustBeGone(String topic) throws Exception {
        if (admin.listTopics().names().get().contains(topic)) {
            fail(topic + " was deleted but is still listed");
        }
        return topic;
    }

    private void ask(String what, Callable<?> question) {
        long begin = System.nanoTime();
        try {
            question.call();
        } catch (Exception e) {
            fail(what + ": " + e);
        }
        took(begin);
    }

    private Object writeOne(String topic) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap), new StringSerializer(), new StringSerializer())) {
            return producer.send(new ProducerRecord<>(topic, "one")).get();
        }
    }

    private Map<TopicPartition, Long> endOffsets() throws Exception {
        Map<TopicPartition, OffsetSpec> question =
                partitions.stream().collect(toMap(partition -> partition, partition -> OffsetSpec.latest()));
        return admin.listOffsets(question).all().get().entrySet().stream()
                .collect(toMap(Map.Entry::getKey, entry -> entry.getValue().offset()));
    }

    private Map<TopicPartition, Long> committedOffsets() throws Exception {
        return admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().entrySet().stream()
                .collect(toMap(Map.Entry::getKey, entry -> entry.getValue().offset()));
    }

    private Object forward(String what, Map<TopicPartition, Long> known, Map<TopicPartition, Long> told) {
        known.forEach((partition, offset) -> {
            Long now = told.get(partition);
            if (now == null || now < offset) {
                fail("the " + what + " of " + partition + " went from " + offset + " to " + now);
            }
        });
        known.putAll(told);
        return told;
    }
}
