package io.felice.itests.cluster;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * A thread with an admin client. In each round it makes a topic, asks about it and about
 * the groups, and deletes it. The client retries; a request that fails after that is a failure.
 */
final class AdminRounds extends Thread implements AutoCloseable {
    private static final long PAUSE_MS = 200;
    /** Some requests go to each broker, and a broker may start slowly on a busy machine. */
    private static final int PATIENCE_MS = 300_000;

    private final Admin admin;
    private final short replicas;
    private final AtomicLong rounds = new AtomicLong();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private volatile boolean ends;

    /** @param replicas of the topics; no more than there are brokers at any time, because more are refused */
    AdminRounds(String bootstrap, int replicas) {
        super("admin-rounds");
        this.admin = Admin.create(Map.of("bootstrap.servers", bootstrap, "default.api.timeout.ms", PATIENCE_MS));
        this.replicas = (short) replicas;
        setDaemon(true);
    }

    long rounds() {
        return rounds.get();
    }

    /** @throws AssertionError if a request has failed */
    void mustNotHaveFailed() {
        if (failure.get() != null) {
            throw new AssertionError("an admin request failed", failure.get());
        }
    }

    @Override
    public void run() {
        try (admin) {
            while (!ends) {
                round("round-" + rounds.get());
                rounds.incrementAndGet();
                Thread.sleep(PAUSE_MS);
            }
        } catch (Throwable failed) {
            if (!ends) {
                failure.set(failed);
            }
        }
    }

    private void round(String topic) throws Exception {
        ask(() -> admin.createTopics(List.of(new NewTopic(topic, 1, replicas)))
                .all()
                .get());
        ask(() -> admin.describeTopics(List.of(topic)).allTopicNames().get());
        ask(() -> admin.listGroups().all().get());
        ask(() -> admin.describeCluster().nodes().get());
        ask(() -> admin.deleteTopics(List.of(topic)).all().get());
    }

    /**
     * A client whose connection was lost does not know whether its request was decided, and asks again. Then the topic may be
     * there already, or gone; and another broker may not have read yet that it is there.
     */
    private static void ask(Callable<?> question) throws Exception {
        try {
            question.call();
        } catch (ExecutionException answer) {
            if (!(answer.getCause() instanceof TopicExistsException)
                    && !(answer.getCause() instanceof UnknownTopicOrPartitionException)) {
                throw answer;
            }
        }
    }

    @Override
    public void close() {
        ends = true;
    }
}
