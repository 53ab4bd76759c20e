package io.felice.console;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.group.Groups;
import io.felice.api.group.Groups.OffsetToCommit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** How long lists take on a node with 5,000 topics, 40,000 partitions and 2,000 groups. Prints milliseconds. */
final class ListsBenchmark {
    private static final int TOPICS = 5_000;
    private static final int PARTITIONS = 8;
    private static final int GROUPS = 2_000;
    private static final int TIMES = 40;

    private ListsBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        try (ConsoleNode node = new ConsoleNode("acl")) {
            ConsoleNode.Client admin = node.firstUser();
            createTopics(node);
            commitOffsets(node);
            for (String path : List.of(
                    "/topics",
                    "/topics?sort=-bytes&limit=200",
                    "/topics?q=topic-49&offset=50",
                    "/topics?problems=true",
                    "/topics/topic-7",
                    "/groups",
                    "/groups?q=group-19&sort=state",
                    "/overview",
                    "/brokers",
                    "/brokers/0")) {
                measure(admin, path);
            }
        }
    }

    private static void createTopics(ConsoleNode node) throws Exception {
        Admin service = node.node.service(Admin.class);
        List<Admin.NewTopic> topics = new ArrayList<>();
        for (int i = 0; i < TOPICS; i++) {
            topics.add(new Admin.NewTopic("topic-" + i, PARTITIONS, 1, Map.of(), Map.of()));
            if (topics.size() == 500) {
                node.node
                        .service(ClusterMetadata.class)
                        .visible(service.createTopics(topics, false))
                        .toCompletableFuture()
                        .get();
                topics.clear();
            }
        }
    }

    private static void commitOffsets(ConsoleNode node) throws Exception {
        Groups groups = node.node.service(Groups.class);
        groups.coordinatorOf("group-0").toCompletableFuture().get();
        for (int i = 0; i < GROUPS; i++) {
            TopicPartition partition = new TopicPartition("topic-" + i, 0);
            Map<TopicPartition, OffsetToCommit> offsets = Map.of(partition, new OffsetToCommit(0, -1, "", -1));
            ErrorCode code = ErrorCode.COORDINATOR_NOT_AVAILABLE;
            while (code != ErrorCode.NONE) {
                code = groups.commit("group-" + i, -1, "", null, offsets)
                        .toCompletableFuture()
                        .get()
                        .get(partition);
            }
        }
    }

    private static void measure(ConsoleNode.Client admin, String path) throws Exception {
        long[] nanos = new long[TIMES];
        for (int i = 0; i < TIMES; i++) {
            long begin = System.nanoTime();
            if (admin.fetch(path) != 200) {
                throw new IllegalStateException(path);
            }
            nanos[i] = System.nanoTime() - begin;
        }
        long first = nanos[0];
        Arrays.sort(nanos);
        System.out.printf(
                "%-40s first %4d ms, median %4d ms, p95 %4d ms%n",
                path, first / 1_000_000, nanos[TIMES / 2] / 1_000_000, nanos[TIMES * 95 / 100] / 1_000_000);
    }
}
