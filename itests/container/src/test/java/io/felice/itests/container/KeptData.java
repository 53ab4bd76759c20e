package io.felice.itests.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Everything that a node keeps for its clients: records of every compression, a topic whose oldest records were deleted,
 * the offsets of a group, configs, the state of idempotent producers. It is compared as a whole with what it was after it
 * was last written. The producers stay open all the time.
 */
final class KeptData implements AutoCloseable {
    private static final List<String> COMPRESSIONS = List.of("none", "gzip", "snappy", "lz4", "zstd");
    private static final String REPEATED = "kept-repeated";
    private static final int PARTITIONS = 3;
    private static final int RECORDS = 500;
    private static final String GROUP = "auditors";
    private static final Duration POLL = Duration.ofMillis(200);

    private final String bootstrap;
    private final Map<String, KafkaProducer<String, String>> producers = new TreeMap<>();
    private final IdempotentBatches batches;
    private Kept written;
    private int rounds;

    /** What clients can see of it. */
    private record Kept(
            String cluster,
            Map<String, String> topicIds,
            Map<String, Map<String, String>> configs,
            Map<TopicPartition, Long> starts,
            Map<TopicPartition, OffsetAndMetadata> committed,
            List<String> records) {}

    KeptData(String bootstrap) {
        this.bootstrap = bootstrap;
        this.batches = new IdempotentBatches(bootstrap, REPEATED);
        for (String compression : COMPRESSIONS) {
            producers.put(
                    "kept-" + compression,
                    new KafkaProducer<>(
                            Map.of("bootstrap.servers", bootstrap, "compression.type", compression, "linger.ms", 5),
                            new StringSerializer(),
                            new StringSerializer()));
        }
    }

    /** Writes more of everything. */
    void write() throws Exception {
        try (Admin admin = admin(bootstrap)) {
            if (rounds == 0) {
                create(admin);
            }
            rounds++;
            for (Map.Entry<String, KafkaProducer<String, String>> producer : producers.entrySet()) {
                write(producer.getKey(), producer.getValue());
            }
            batches.next();
            batches.next();
            admin.deleteRecords(Map.of(new TopicPartition("kept-none", 0), RecordsToDelete.beforeOffset(rounds * 50L)))
                    .all()
                    .get();
            admin.alterConsumerGroupOffsets(
                            GROUP,
                            partitions().stream()
                                    .collect(toMap(
                                            partition -> partition,
                                            partition -> new OffsetAndMetadata(rounds * 10L, "round " + rounds))))
                    .all()
                    .get();
            setConfig(
                    admin, new ConfigResource(ConfigResource.Type.TOPIC, "kept-gzip"), "retention.ms", 9_000_000_000L);
            setConfig(admin, new ConfigResource(ConfigResource.Type.BROKER, ""), "message.max.bytes", 2_000_000L);
        }
        written = look(bootstrap);
    }

    private void create(Admin admin) throws Exception {
        List<NewTopic> topics = Stream.concat(producers.keySet().stream(), Stream.of(REPEATED))
                .map(topic -> new NewTopic(topic, PARTITIONS, (short) 1)
                        .configs(Map.of("segment.bytes", "1048576", "max.message.bytes", "900000")))
                .toList();
        admin.createTopics(topics).all().get();
    }

    private void setConfig(Admin admin, ConfigResource resource, String name, long value) throws Exception {
        ConfigEntry entry = new ConfigEntry(name, Long.toString(value + rounds));
        admin.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(entry, AlterConfigOp.OpType.SET))))
                .all()
                .get();
    }

    private void write(String topic, KafkaProducer<String, String> producer) throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int number = 0; number < RECORDS; number++) {
            ProducerRecord<String, String> record = new ProducerRecord<>(
                    topic, number % PARTITIONS, rounds + "/" + number, "value ".repeat(number % 50));
            record.headers().add("round", Integer.toString(rounds).getBytes(UTF_8));
            sent.add(producer.send(record));
        }
        for (Future<RecordMetadata> record : sent) {
            record.get();
        }
    }

    /** Fails if anything differs from what was written, or if a batch that is sent again is written again. */
    void mustBeThere() throws Exception {
        batches.again();
        mustBeThereAt(bootstrap);
    }

    /** Fails if clients of this broker see anything else than what was written. */
    void mustBeThereAt(String broker) throws Exception {
        Kept now = look(broker);
        assertThat(now.records()).containsExactlyElementsOf(written.records());
        assertThat(now).isEqualTo(written);
    }

    private Kept look(String broker) throws Exception {
        try (Admin admin = admin(broker)) {
            Set<String> topics = producers.keySet();
            return new Kept(
                    admin.describeCluster().clusterId().get(),
                    admin.describeTopics(topics).allTopicNames().get().values().stream()
                            .collect(toMap(TopicDescription::name, topic -> topic.topicId()
                                    .toString())),
                    configs(admin),
                    admin
                            .listOffsets(partitions().stream()
                                    .collect(toMap(partition -> partition, partition -> OffsetSpec.earliest())))
                            .all()
                            .get()
                            .entrySet()
                            .stream()
                            .collect(toMap(
                                    Map.Entry::getKey, entry -> entry.getValue().offset())),
                    admin.listConsumerGroupOffsets(GROUP)
                            .partitionsToOffsetAndMetadata()
                            .get(),
                    records(broker));
        }
    }

    private Map<String, Map<String, String>> configs(Admin admin) throws Exception {
        List<ConfigResource> resources = new ArrayList<>(List.of(new ConfigResource(ConfigResource.Type.BROKER, "")));
        producers.keySet().forEach(topic -> resources.add(new ConfigResource(ConfigResource.Type.TOPIC, topic)));
        return admin.describeConfigs(resources).all().get().entrySet().stream()
                .collect(toMap(entry -> entry.getKey().name(), entry -> entry.getValue().entries().stream()
                        .filter(config -> config.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG
                                || config.source() == ConfigEntry.ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG)
                        .collect(toMap(ConfigEntry::name, ConfigEntry::value, (one, other) -> one))));
    }

    private List<String> records(String broker) throws Exception {
        List<String> records = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", broker), new StringDeserializer(), new StringDeserializer())) {
            for (TopicPartition partition : partitions()) {
                consumer.assign(List.of(partition));
                consumer.seekToBeginning(List.of(partition));
                long end = consumer.endOffsets(List.of(partition)).get(partition);
                Eventually.await("reading " + partition, () -> {
                    consumer.poll(POLL).forEach(record -> records.add(text(record)));
                    return consumer.position(partition) >= end;
                });
            }
        }
        return records;
    }

    private static String text(ConsumerRecord<String, String> record) {
        return record.topic() + "-" + record.partition() + "@" + record.offset() + " " + record.timestamp() + " "
                + record.key() + "=" + record.value() + " " + record.headers();
    }

    private List<TopicPartition> partitions() {
        List<TopicPartition> partitions = new ArrayList<>();
        for (String topic : producers.keySet()) {
            for (int partition = 0; partition < PARTITIONS; partition++) {
                partitions.add(new TopicPartition(topic, partition));
            }
        }
        partitions.add(new TopicPartition(REPEATED, 0));
        return partitions;
    }

    private static Admin admin(String broker) {
        return Admin.create(Map.of("bootstrap.servers", broker));
    }

    @Override
    public void close() {
        producers.values().forEach(KafkaProducer::close);
    }
}
