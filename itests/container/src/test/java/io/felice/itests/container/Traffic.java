package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.TopicPartition;

/**
 * A producer, two consumers and an admin client that use one node without a pause, with the default settings of Kafka's
 * clients. They record every failure that a program with such a client would get.
 */
final class Traffic implements AutoCloseable {
    static final int PARTITIONS = 8;

    private static final int RECORDS = 300;
    private static final long PATIENCE_MINUTES = 3;

    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final TrafficWriter writer;
    private final TrafficReader follower;
    private final TrafficReader member;
    private final TrafficAdmin admin;

    /**
     * The longest time, in ms, of an acknowledgement, between two polls with records, and of a request of the admin
     * client.
     */
    record Pause(long writtenMs, long followedMs, long readInGroupMs, long adminMs) {}

    /** @param engine the storage engine of the topic */
    Traffic(String bootstrap, String topic, String engine) throws Exception {
        try (Admin first = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            NewTopic wanted = new NewTopic(topic, PARTITIONS, (short) 1).configs(Map.of("storage.engine", engine));
            first.createTopics(List.of(wanted)).all().get();
        }
        writer = new TrafficWriter(bootstrap, topic, failures);
        follower = TrafficReader.ofAll(bootstrap, topic, failures);
        member = TrafficReader.inGroup(bootstrap, topic, failures);
        admin = new TrafficAdmin(bootstrap, topic, failures);
        Stream.of(writer, follower, member, admin).forEach(Thread::start);
        awaitProgress();
    }

    static List<TopicPartition> partitions(String topic) {
        return IntStream.range(0, PARTITIONS)
                .mapToObj(partition -> new TopicPartition(topic, partition))
                .toList();
    }

    /** The group that reads a topic. */
    static String group(String topic) {
        return topic + "-readers";
    }

    /** Waits until every client has made progress: 300 records, or two rounds of the admin client. */
    void awaitProgress() throws InterruptedException {
        long written = writer.acknowledged() + RECORDS;
        long rounds = admin.rounds() + 2;
        await("writing", () -> writer.acknowledged() >= written);
        await("following", () -> follower.read() >= written);
        await("reading in a group", () -> member.read() >= written);
        await("administration", () -> admin.rounds() >= rounds);
    }

    /** The longest times since the last call. */
    Pause takeLongestTimes() {
        return new Pause(
                writer.takeLongestMs(), follower.takeLongestMs(), member.takeLongestMs(), admin.takeLongestMs());
    }

    /** Ends the writer, waits until the readers have read all records, and ends the other clients. */
    void finish() throws InterruptedException {
        end(writer);
        await("following to the end", () -> follower.read() >= writer.sent());
        await("reading to the end in a group", () -> member.read() >= writer.sent());
        end(follower);
        end(member);
        end(admin);
    }

    /** The connections to the node that its clients lost or closed. */
    long closedConnections() {
        return writer.closedConnections()
                + follower.closedConnections()
                + member.closedConnections()
                + admin.closedConnections();
    }

    List<String> failures() {
        return List.copyOf(failures);
    }

    TrafficWriter writer() {
        return writer;
    }

    /** A reader with fixed partitions, in no group. */
    TrafficReader follower() {
        return follower;
    }

    /** A reader in a group, which commits its offsets. */
    TrafficReader member() {
        return member;
    }

    TrafficAdmin admin() {
        return admin;
    }

    @Override
    public void close() {
        List.of(writer, follower, member, admin).forEach(TrafficClient::end);
    }

    private static void end(TrafficClient client) throws InterruptedException {
        client.end();
        client.join(TimeUnit.MINUTES.toMillis(PATIENCE_MINUTES));
        assertThat(client.isAlive()).as(client.getName() + " has ended").isFalse();
    }

    private void await(String what, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(PATIENCE_MINUTES);
        while (!condition.getAsBoolean()) {
            assertThat(List.copyOf(failures)).as(what).isEmpty();
            assertThat(System.nanoTime()).as(what + " does not go on").isLessThan(end);
            Thread.sleep(20);
        }
    }
}
