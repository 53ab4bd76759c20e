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
 * Clients of every kind that use one node without a pause, with the settings that Kafka's clients have by themselves, and
 * write down whatever a program that uses them would have to deal with.
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

    /** The slowest of each kind of client: an acknowledgement, a record that comes, a request of the admin client. */
    record Pause(long writtenMs, long followedMs, long readInGroupMs, long adminMs) {}

    Traffic(String bootstrap, String topic) throws Exception {
        try (Admin first = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            first.createTopics(List.of(new NewTopic(topic, PARTITIONS, (short) 1)))
                    .all()
                    .get();
        }
        writer = new TrafficWriter(bootstrap, topic, failures);
        follower = TrafficReader.ofAll(bootstrap, topic, failures);
        member = TrafficReader.inGroup(bootstrap, topic, failures);
        admin = new TrafficAdmin(bootstrap, topic, failures);
        Stream.of(writer, follower, member, admin).forEach(Thread::start);
        goesOn();
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

    /** Waits until every client has got on, and has begun and ended something since. */
    void goesOn() throws InterruptedException {
        long written = writer.acknowledged() + RECORDS;
        long rounds = admin.rounds() + 2;
        await("writing", () -> writer.acknowledged() >= written);
        await("following", () -> follower.read() >= written);
        await("reading in a group", () -> member.read() >= written);
        await("administration", () -> admin.rounds() >= rounds);
    }

    /** The slowest since the last call. */
    Pause takePause() {
        return new Pause(
                writer.takeSlowestMs(), follower.takeSlowestMs(), member.takeSlowestMs(), admin.takeSlowestMs());
    }

    /** Ends the writing, waits until everything is read, and ends the rest. */
    void finish() throws InterruptedException {
        end(writer);
        await("following to the end", () -> follower.read() >= writer.sent());
        await("reading to the end in a group", () -> member.read() >= writer.sent());
        end(follower);
        end(member);
        end(admin);
    }

    List<String> failures() {
        return List.copyOf(failures);
    }

    TrafficWriter writer() {
        return writer;
    }

    /** A reader that no group moves. */
    TrafficReader follower() {
        return follower;
    }

    /** A reader in a group, which commits what it has read. */
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
