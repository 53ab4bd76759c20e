package io.felice.itests.rig;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;

/** What a cluster tells an admin client. A question is asked again until the answer is what is waited for. */
final class ClusterAnswers {
    private static final int ANSWER_SECONDS = 5;

    private final Supplier<String> bootstrap;
    private final Supplier<Set<Integer>> ids;
    private final IntPredicate isRunning;

    /** @param ids of all brokers */
    ClusterAnswers(Supplier<String> bootstrap, Supplier<Set<Integer>> ids, IntPredicate isRunning) {
        this.bootstrap = bootstrap;
        this.ids = ids;
        this.isRunning = isRunning;
    }

    /** The broker that leads the partition; waits until there is one. */
    int leader(String topic, int partition) {
        int[] found = {-1};
        await(topic + "-" + partition + " has a leader", admin -> {
            Node leader = get(admin.describeTopics(List.of(topic)).allTopicNames())
                    .get(topic)
                    .partitions()
                    .get(partition)
                    .leader();
            found[0] = leader == null || leader.isEmpty() ? -1 : leader.id();
            return found[0] >= 0 && isRunning.test(found[0]);
        });
        return found[0];
    }

    /** The broker that is the controller; waits until there is one. */
    int controller() {
        int[] found = {-1};
        await("there is a controller", admin -> {
            Node controller = get(admin.describeCluster().controller());
            found[0] = controller == null || controller.isEmpty() ? -1 : controller.id();
            return found[0] >= 0 && isRunning.test(found[0]);
        });
        return found[0];
    }

    /** Waits until all brokers are in the cluster and every replica of every topic is in sync. */
    void awaitInSync() {
        await("all replicas are in sync", admin -> {
            Set<Integer> there = new TreeSet<>();
            get(admin.describeCluster().nodes()).forEach(node -> there.add(node.id()));
            return there.equals(ids.get()) && topics(admin).stream().allMatch(ClusterAnswers::isInSync);
        });
    }

    private static List<TopicDescription> topics(Admin admin) throws ExecutionException, TimeoutException {
        Set<String> names =
                get(admin.listTopics(new ListTopicsOptions().listInternal(true)).names());
        return List.copyOf(get(admin.describeTopics(names).allTopicNames()).values());
    }

    private static boolean isInSync(TopicDescription topic) {
        return topic.partitions().stream()
                .allMatch(partition ->
                        partition.leader() != null && partition.isr().containsAll(partition.replicas()));
    }

    /** A question that is asked again until the answer is true; an error is no answer. */
    private interface Question {
        boolean isAnswered(Admin admin) throws ExecutionException, TimeoutException;
    }

    private void await(String what, Question question) {
        try (Admin admin = Admin.create(clientSettings())) {
            Java.await(what, () -> {
                try {
                    return question.isAnswered(admin);
                } catch (ExecutionException | TimeoutException again) {
                    return false;
                }
            });
        }
    }

    private static <T> T get(KafkaFuture<T> future) throws ExecutionException, TimeoutException {
        try {
            return future.get(ANSWER_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    private Map<String, Object> clientSettings() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", bootstrap.get());
        settings.put("reconnect.backoff.ms", 20);
        settings.put("reconnect.backoff.max.ms", 100);
        settings.put("retry.backoff.ms", 50);
        settings.put("retry.backoff.max.ms", 200);
        settings.put("metadata.recovery.strategy", "none");
        return settings;
    }
}
