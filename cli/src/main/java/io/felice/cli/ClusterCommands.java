package io.felice.cli;

import io.felice.shell.text.Listing;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartitionInfo;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code felice cluster}. */
@Command(name = "cluster", description = "The cluster as a whole: health, describe.")
final class ClusterCommands {
    private static final long STEP_MS = 1000;

    private final Terminal terminal;

    ClusterCommands(Terminal terminal) {
        this.terminal = terminal;
    }

    @Command(
            name = "health",
            description = "Says whether every partition has a leader and all its replicas; exits with 10 if not.")
    int health(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Option(names = "--wait", description = "Waits until the cluster is healthy, for at most --timeout.")
                    boolean wait,
            @Option(
                            names = {"-w", "--watch"},
                            description = "Prints each change until Ctrl-C.")
                    boolean watch)
            throws InterruptedException {
        long end = System.nanoTime() + client.timeoutMs() * 1_000_000L;
        try (Admin admin = client.admin()) {
            Sheet printed = null;
            while (true) {
                Sheet now = examine(admin, client);
                boolean isHealthy = (boolean) now.fields().get("healthy");
                boolean isLast = !watch && (!wait || isHealthy || System.nanoTime() - end > 0);
                if ((isLast || watch)
                        && (printed == null
                                || !now.fields()
                                        .get("troubles")
                                        .toString()
                                        .equals(printed.fields().get("troubles").toString()))) {
                    print(now, output);
                    printed = now;
                }
                if (isLast) {
                    return isHealthy ? 0 : CliFailure.UNHEALTHY;
                }
                Thread.sleep(STEP_MS);
            }
        }
    }

    private void print(Sheet health, OutputOptions output) {
        if (output.form() != OutputOptions.Form.TABLE) {
            output.print(health);
            return;
        }
        terminal.out()
                .println(((boolean) health.fields().get("healthy") ? "HEALTHY" : "UNHEALTHY")
                        + "   brokers " + health.fields().get("brokers")
                        + "   partitions " + health.fields().get("partitions")
                        + "   offline " + health.fields().get("offline")
                        + "   under-replicated " + health.fields().get("under_replicated"));
        for (Object trouble : (List<?>) health.fields().get("troubles")) {
            terminal.out().println("  - " + trouble);
        }
        terminal.out().flush();
    }

    private static Sheet examine(Admin admin, ClientOptions client) {
        DescribeClusterResult cluster = admin.describeCluster();
        Collection<Node> nodes = client.get(cluster.nodes());
        Node controller = client.get(cluster.controller());
        List<String> troubles = new ArrayList<>();
        if (controller == null || controller.isEmpty()) {
            troubles.add("There is no controller: nothing can be created or changed, and no leader is elected.");
        }
        int[] counts = new int[3];
        for (TopicDescription topic : BrokerCommands.topics(admin, client)) {
            for (TopicPartitionInfo partition : topic.partitions()) {
                counts[0]++;
                note(topic.name() + "-" + partition.partition(), partition, counts, troubles);
            }
        }
        return new Sheet()
                .with("healthy", troubles.isEmpty())
                .with("brokers", nodes.size())
                .with("partitions", counts[0])
                .with("offline", counts[1])
                .with("under_replicated", counts[2])
                .with("troubles", troubles);
    }

    private static void note(String name, TopicPartitionInfo partition, int[] counts, List<String> troubles) {
        List<Integer> replicas = TopicCommands.ids(partition.replicas());
        List<Integer> behind = new ArrayList<>(replicas);
        behind.removeAll(TopicCommands.ids(partition.isr()));
        if (partition.leader() == null || partition.leader().isEmpty()) {
            counts[1]++;
            troubles.add(name + " has no leader; its replicas are on " + replicas + ".");
        } else if (!behind.isEmpty()) {
            counts[2]++;
            troubles.add(name + " is not in sync on " + behind + ".");
        }
    }

    @Command(name = "describe", description = "Shows the id, the controller and the size of the cluster.")
    int describe(@Mixin ClientOptions client, @Mixin OutputOptions output) {
        try (Admin admin = client.admin()) {
            DescribeClusterResult cluster = admin.describeCluster();
            Node controller = client.get(cluster.controller());
            Collection<TopicDescription> topics = BrokerCommands.topics(admin, client);
            Listing features = new Listing("feature", "level");
            client.get(admin.describeFeatures().featureMetadata())
                    .finalizedFeatures()
                    .forEach((name, range) -> features.row(name, range.maxVersionLevel()));
            output.print(new Sheet()
                    .with("cluster", client.get(cluster.clusterId()))
                    .with("controller", controller == null || controller.isEmpty() ? null : controller.id())
                    .with("brokers", client.get(cluster.nodes()).size())
                    .with("topics", topics.size())
                    .with(
                            "partitions",
                            topics.stream()
                                    .mapToInt(each -> each.partitions().size())
                                    .sum())
                    .with("features", features));
        }
        return 0;
    }
}
