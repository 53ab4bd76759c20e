package io.felice.itests.rig;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.itests.rig.HistoryChecker.Cleanup;
import io.felice.itests.rig.HistoryChecker.Message;
import io.felice.itests.rig.HistoryChecker.Sighting;
import io.felice.itests.rig.HistoryChecker.Writer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/** The topics that {@link CrashLoad} has in each storage engine, and their records. Segments are small. */
public enum CrashTopic {
    KEPT(false, false),
    RETAINED(false, true),
    COMPACTED(true, false),
    BOTH(true, true);

    /** A reader that takes longer may miss a tombstone. */
    static final Duration TOMBSTONES_STAY = Duration.ofSeconds(10);

    /** The same for a replica: its broker is not away for longer. */
    private static final Duration TOMBSTONES_STAY_FOR_REPLICAS = Duration.ofSeconds(60);

    private static final int PARTITIONS = 2;
    private static final int SEGMENT_BYTES = 30_000;
    private static final int RETENTION_BYTES = 100_000;
    private static final int MOST_KEYS = 500;
    private static final int RECORDS_PER_TOMBSTONE = 15;
    private static final int MOST_PADDING = 150;
    /** More than a record of a topic with retention takes, alone in its batch. */
    private static final int MOST_RECORD_BYTES = 400;
    /** Only in topics without retention. */
    private static final int LARGE_PADDING = 20_000;

    private static final int RECORDS_PER_LARGE_ONE = 200;
    private static final String ID = "id";

    private final boolean compacts;
    private final boolean deletes;

    CrashTopic(boolean compacts, boolean deletes) {
        this.compacts = compacts;
        this.deletes = deletes;
    }

    Cleanup cleanup() {
        return new Cleanup(compacts, deletes ? RETENTION_BYTES / MOST_RECORD_BYTES : Cleanup.NO_RETENTION);
    }

    String of(String engine) {
        return engine + "-" + name().toLowerCase(Locale.ROOT);
    }

    /** @param replicas of each partition; all but one must be in sync for an acknowledgement */
    NewTopic in(String engine, int replicas) {
        return new NewTopic(of(engine), PARTITIONS, (short) replicas)
                .configs(Map.of(
                        "min.insync.replicas",
                        Integer.toString(Math.max(1, replicas - 1)),
                        "storage.engine",
                        engine,
                        "cleanup.policy",
                        compacts ? (deletes ? "compact,delete" : "compact") : "delete",
                        "segment.bytes",
                        Integer.toString(SEGMENT_BYTES),
                        "retention.bytes",
                        deletes ? Integer.toString(RETENTION_BYTES) : "-1",
                        "retention.ms",
                        "-1",
                        "min.cleanable.dirty.ratio",
                        "0.01",
                        "delete.retention.ms",
                        Long.toString((replicas == 1 ? TOMBSTONES_STAY : TOMBSTONES_STAY_FOR_REPLICAS).toMillis())));
    }

    List<TopicPartition> partitions(String engine) {
        return IntStream.range(0, PARTITIONS)
                .mapToObj(number -> new TopicPartition(of(engine), number))
                .toList();
    }

    /** A message with a random key. Some keys come often, others seldom; some messages are tombstones. */
    Message message(Writer writer, long number, Random random) {
        String key = "k" + random.nextInt(1 + random.nextInt(MOST_KEYS));
        boolean isTombstone = compacts && random.nextInt(RECORDS_PER_TOMBSTONE) == 0;
        return new Message(writer, number, key, isTombstone ? null : "");
    }

    /** The record has the id of the message in a header, because a tombstone has no value. */
    static ProducerRecord<byte[], byte[]> record(TopicPartition partition, Message message) {
        byte[] key = message.key().getBytes(UTF_8);
        byte[] value = message.value() == null ? null : valueOf(partition, message.id());
        Header id = new RecordHeader(ID, message.id().getBytes(UTF_8));
        return new ProducerRecord<>(partition.topic(), partition.partition(), null, key, value, List.of(id));
    }

    /** The value of a sighting is empty if the record has the value that its id demands. */
    static Sighting sighting(ConsumerRecord<byte[], byte[]> record) {
        TopicPartition partition = new TopicPartition(record.topic(), record.partition());
        String id = Optional.ofNullable(record.headers().lastHeader(ID))
                .map(header -> new String(header.value(), UTF_8))
                .orElse("without id");
        String key = record.key() == null ? "without key" : new String(record.key(), UTF_8);
        String value = record.value() == null
                ? null
                : Arrays.equals(record.value(), valueOf(partition, id)) ? "" : new String(record.value(), UTF_8);
        return new Sighting(record.offset(), id, key, value);
    }

    private static byte[] valueOf(TopicPartition partition, String id) {
        String name = partition + " " + id;
        Random random = new Random(name.hashCode());
        boolean isLarge = partition.topic().endsWith("-kept") && random.nextInt(RECORDS_PER_LARGE_ONE) == 0;
        return (name + ".".repeat(isLarge ? LARGE_PADDING : random.nextInt(MOST_PADDING))).getBytes(UTF_8);
    }
}
