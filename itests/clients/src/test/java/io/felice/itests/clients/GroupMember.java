package io.felice.itests.clients;

import io.felice.itests.rig.Java;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * A Java consumer on a thread of its own. Before it gives up a partition, it commits the offsets of all records that it
 * has taken.
 */
final class GroupMember implements AutoCloseable, ConsumerRebalanceListener {
    private static final Duration POLL = Duration.ofMillis(100);

    private final KafkaConsumer<String, String> consumer;
    private final ConcurrentLinkedQueue<String> taken;
    private final Thread thread = new Thread(this::work, "member");
    private final AtomicInteger rebalances = new AtomicInteger();
    private volatile Set<TopicPartition> assignment = Set.of();
    private volatile int generation = -1;
    private volatile int lost;
    private volatile boolean ends;
    private volatile Throwable failure;

    private GroupMember(KafkaConsumer<String, String> consumer, ConcurrentLinkedQueue<String> taken) {
        this.consumer = consumer;
        this.taken = taken;
    }

    static GroupMember of(
            String bootstrap,
            String group,
            String topic,
            Map<String, Object> settings,
            ConcurrentLinkedQueue<String> taken) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("group.id", group);
        all.put("auto.offset.reset", "earliest");
        all.put("enable.auto.commit", false);
        all.put("heartbeat.interval.ms", 300);
        all.put("fetch.max.wait.ms", 100);
        GroupMember member = new GroupMember(Java.textConsumer(bootstrap, all), taken);
        member.consumer.subscribe(List.of(topic), member);
        member.thread.start();
        return member;
    }

    Set<TopicPartition> assignment() {
        return assignment;
    }

    int generation() {
        return generation;
    }

    int rebalances() {
        return rebalances.get();
    }

    /** The number of partitions that were lost without a revocation. */
    int lost() {
        return lost;
    }

    Throwable failure() {
        return failure;
    }

    private void work() {
        try {
            while (!ends) {
                boolean any = false;
                for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
                    taken.add(record.value());
                    any = true;
                }
                assignment = Set.copyOf(consumer.assignment());
                generation = consumer.groupMetadata().generationId();
                if (any) {
                    consumer.commitSync();
                }
            }
        } catch (Throwable problem) {
            failure = problem;
        } finally {
            consumer.close();
        }
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        consumer.commitSync();
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        rebalances.incrementAndGet();
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        lost += partitions.size();
    }

    @Override
    public void close() {
        ends = true;
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }
}
