package io.felice.cli;

import io.felice.shell.text.Listing;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code felice broker}. */
@Command(name = "broker", description = "Brokers: list, describe, config.")
final class BrokerCommands {
    @Command(name = "list", description = "Lists the brokers of the cluster, and how many partitions each leads.")
    int list(@Mixin ClientOptions client, @Mixin OutputOptions output) {
        try (Admin admin = client.admin()) {
            DescribeClusterResult cluster = admin.describeCluster();
            Node controller = client.get(cluster.controller());
            Map<Integer, int[]> shares = shares(topics(admin, client));
            Listing brokers = new Listing("broker", "host", "port", "rack", "controller", "leads", "replicas");
            client.get(cluster.nodes()).stream()
                    .sorted(Comparator.comparing(Node::id))
                    .forEach(node -> {
                        int[] share = shares.getOrDefault(node.id(), new int[2]);
                        brokers.row(
                                node.id(),
                                node.host(),
                                node.port(),
                                node.rack(),
                                controller != null && controller.id() == node.id(),
                                share[0],
                                share[1]);
                    });
            output.print(brokers, "There are no brokers.");
        }
        return 0;
    }

    static Collection<TopicDescription> topics(Admin admin, ClientOptions client) {
        var names =
                client.get(admin.listTopics(new org.apache.kafka.clients.admin.ListTopicsOptions().listInternal(true))
                        .names());
        return names.isEmpty()
                ? List.of()
                : client.get(admin.describeTopics(names).allTopicNames()).values();
    }

    /** By broker: how many partitions it leads, and how many replicas it has. */
    private static Map<Integer, int[]> shares(Collection<TopicDescription> topics) {
        Map<Integer, int[]> shares = new HashMap<>();
        for (TopicDescription topic : topics) {
            for (TopicPartitionInfo partition : topic.partitions()) {
                if (partition.leader() != null && !partition.leader().isEmpty()) {
                    shares.computeIfAbsent(partition.leader().id(), id -> new int[2])[0]++;
                }
                partition.replicas().forEach(node -> shares.computeIfAbsent(node.id(), id -> new int[2])[1]++);
            }
        }
        return shares;
    }

    @Command(name = "describe", description = "Shows the storage and the settings of a broker.")
    int describe(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Parameters(paramLabel = "ID", description = "The id of the broker.") int id) {
        try (Admin admin = client.admin()) {
            Node node = node(admin, client, id);
            ConfigResource resource = new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(id));
            Map<String, ConfigEntry> configs = new TopicConfigs(admin, client).of(resource, false);
            Map<String, Object> set = new TreeMap<>();
            configs.values().stream()
                    .filter(entry -> !entry.isDefault())
                    .forEach(entry -> set.put(entry.name(), TopicConfigs.value(entry)));
            output.print(new Sheet()
                    .with("broker", id)
                    .with("address", node.host() + ":" + node.port())
                    .with("rack", node.rack())
                    .with("storage", storage(admin, client, id))
                    .with("configs", set));
        }
        return 0;
    }

    static Node node(Admin admin, ClientOptions client, int id) {
        return client.get(admin.describeCluster().nodes()).stream()
                .filter(each -> each.id() == id)
                .findFirst()
                .orElseThrow(() ->
                        CliFailure.notFound("There is no broker " + id + ".", "felice broker list shows the brokers."));
    }

    private static Listing storage(Admin admin, ClientOptions client, int id) {
        Listing storage = new Listing("directory", "logs", "bytes", "free_bytes", "error");
        Map<String, LogDirDescription> directories =
                client.get(admin.describeLogDirs(List.of(id)).descriptions().get(id));
        new TreeMap<>(directories)
                .forEach((directory, found) -> storage.row(
                        directory,
                        found.replicaInfos().size(),
                        found.replicaInfos().values().stream()
                                .mapToLong(log -> log.size())
                                .sum(),
                        found.usableBytes().isPresent() ? found.usableBytes().getAsLong() : null,
                        found.error() == null ? null : found.error().getMessage()));
        return storage;
    }

    @Command(name = "config", description = "Shows the settings of a broker: felice config list broker:ID.")
    int config(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Option(
                            names = {"-a", "--all"},
                            description = "Shows defaults too.")
                    boolean all,
            @Parameters(paramLabel = "ID", description = "The id of the broker.") int id) {
        return new ConfigCommands().list(client, output, all, false, "broker:" + id, null);
    }
}
