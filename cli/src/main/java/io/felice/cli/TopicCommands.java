package io.felice.cli;

import io.felice.shell.text.Listing;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreatePartitionsOptions;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DeletedRecords;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code felice topic}. */
@Command(name = "topic", description = "Topics: list, describe, create, alter, delete, purge.")
final class TopicCommands {
    /** A deletion names the groups that read the topic, if there are not more groups than this. */
    private static final int GROUPS_TO_LOOK_AT = 500;

    private final Terminal terminal;

    TopicCommands(Terminal terminal) {
        this.terminal = terminal;
    }

    @Command(name = "list", description = "Lists topics.")
    int list(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Option(
                            names = {"-i", "--internal"},
                            description = "Lists topics that the cluster keeps for itself, too.")
                    boolean internal,
            @Parameters(
                            paramLabel = "PATTERN",
                            arity = "0..*",
                            description = "Only topics whose names match one of these; * stands for any text.")
                    List<String> patterns) {
        try (Admin admin = client.admin()) {
            Set<String> names =
                    new TreeSet<>(client.get(admin.listTopics(new ListTopicsOptions().listInternal(internal))
                            .names()));
            names.removeIf(matching(patterns).negate());
            Listing topics = new Listing("topic", "partitions", "replicas", "not_in_sync", "offline");
            if (output.form() == OutputOptions.Form.NAME) {
                names.forEach(name -> topics.row(name, null, null, null, null));
            } else {
                described(admin, client, names)
                        .forEach(topic -> topics.row(
                                topic.name(),
                                topic.partitions().size(),
                                topic.partitions().stream()
                                        .mapToInt(partition ->
                                                partition.replicas().size())
                                        .max()
                                        .orElse(0),
                                topic.partitions().stream()
                                        .mapToInt(each -> each.replicas().size()
                                                - each.isr().size())
                                        .sum(),
                                topic.partitions().stream()
                                        .filter(TopicCommands::isOffline)
                                        .count()));
            }
            output.print(topics, "There are no topics. To make one: felice topic create NAME");
        }
        return 0;
    }

    private static Predicate<String> matching(List<String> patterns) {
        if (patterns == null || patterns.isEmpty()) {
            return name -> true;
        }
        Pattern any = Pattern.compile(patterns.stream()
                .map(pattern -> Pattern.quote(pattern).replace("*", "\\E.*\\Q"))
                .collect(Collectors.joining("|")));
        return name -> any.matcher(name).matches();
    }

    private static List<TopicDescription> described(Admin admin, ClientOptions client, Collection<String> names) {
        if (names.isEmpty()) {
            return List.of();
        }
        Map<String, KafkaFuture<TopicDescription>> found =
                admin.describeTopics(names).topicNameValues();
        List<TopicDescription> topics = new ArrayList<>();
        found.forEach((name, outcome) -> topics.add(existing(client, name, outcome)));
        topics.sort(Comparator.comparing(TopicDescription::name));
        return topics;
    }

    private static <T> T existing(ClientOptions client, String name, KafkaFuture<T> outcome) {
        try {
            return client.get(outcome);
        } catch (CliFailure failure) {
            throw failure.exitCode() == CliFailure.NOT_FOUND
                    ? failure.saying("There is no topic " + name + ".", "felice topic list shows the topics.")
                    : failure;
        }
    }

    private static boolean isOffline(TopicPartitionInfo partition) {
        return partition.leader() == null || partition.leader().isEmpty();
    }

    @Command(name = "describe", description = "Shows the partitions, the offsets and the configs of topics.")
    int describe(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Parameters(paramLabel = "TOPIC", arity = "1..*", description = "The topics.") List<String> names) {
        try (Admin admin = client.admin()) {
            List<Sheet> sheets = new ArrayList<>();
            for (TopicDescription topic : described(admin, client, names)) {
                ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic.name());
                Map<String, ConfigEntry> configs = new TopicConfigs(admin, client).of(resource, false);
                sheets.add(new Sheet()
                        .with("topic", topic.name())
                        .with("id", topic.topicId().toString())
                        .with("internal", topic.isInternal())
                        .with("partitions", partitions(topic, LogOffsets.of(admin, client)))
                        .with("configs", TopicConfigs.own(configs, resource)));
            }
            output.print(sheets);
        }
        return 0;
    }

    private static Listing partitions(TopicDescription topic, LogOffsets offsets) {
        List<TopicPartition> online = topic.partitions().stream()
                .filter(partition -> !isOffline(partition))
                .map(partition -> new TopicPartition(topic.name(), partition.partition()))
                .toList();
        Map<TopicPartition, Long> start = offsets.start(online);
        Map<TopicPartition, Long> end = offsets.end(online);
        Listing partitions = new Listing("partition", "leader", "replicas", "in_sync", "start", "end", "records");
        for (TopicPartitionInfo each : topic.partitions()) {
            TopicPartition partition = new TopicPartition(topic.name(), each.partition());
            Long first = start.get(partition);
            Long last = end.get(partition);
            partitions.row(
                    each.partition(),
                    isOffline(each) ? null : each.leader().id(),
                    ids(each.replicas()),
                    ids(each.isr()),
                    first,
                    last,
                    first == null ? null : last - first);
        }
        return partitions;
    }

    static List<Integer> ids(List<Node> nodes) {
        return nodes.stream().map(Node::id).toList();
    }

    @Command(name = "create", description = "Creates topics.")
    int create(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Option(
                            names = {"-p", "--partitions"},
                            paramLabel = "N",
                            description = "How many partitions; else what the brokers have as num.partitions.")
                    Integer partitions,
            @Option(
                            names = {"-r", "--replicas"},
                            paramLabel = "N",
                            description = "On how many brokers; else default.replication.factor.")
                    Short replicas,
            @Option(
                            names = {"-s", "--set"},
                            paramLabel = "KEY=VALUE",
                            description =
                                    "A config of the topic, for example retention=7d or" + " segment.bytes=100MiB.")
                    Map<String, String> set,
            @Option(names = "--if-not-exists", description = "A topic that is there already is left as it is.")
                    boolean ifNotExists,
            @Option(names = "--dry-run", description = "The broker checks the request and creates nothing.")
                    boolean dryRun,
            @Parameters(paramLabel = "TOPIC", arity = "1..*", description = "The topics.") List<String> names) {
        try (Admin admin = client.admin()) {
            List<NewTopic> topics = names.stream()
                    .map(name -> new NewTopic(name, Optional.ofNullable(partitions), Optional.ofNullable(replicas))
                            .configs(configs(set)))
                    .toList();
            CreateTopicsResult result = admin.createTopics(topics, new CreateTopicsOptions().validateOnly(dryRun));
            for (String name : names) {
                created(name, result, client, output, ifNotExists, dryRun);
            }
        }
        return 0;
    }

    private static Map<String, String> configs(Map<String, String> set) {
        Map<String, String> configs = new HashMap<>();
        if (set != null) {
            set.forEach((written, value) -> {
                String key = HumanUnits.key(written);
                configs.put(key, HumanUnits.value(key, value));
            });
        }
        return configs;
    }

    private static void created(
            String name,
            CreateTopicsResult result,
            ClientOptions client,
            OutputOptions output,
            boolean ifNotExists,
            boolean dryRun) {
        Listing done = new Listing("topic", "created", "partitions", "replicas");
        try {
            client.get(result.values().get(name));
        } catch (CliFailure failure) {
            if (failure.exitCode() != CliFailure.EXISTS) {
                throw failure;
            } else if (!ifNotExists) {
                throw failure.saying(
                        "There is a topic " + name + " already.", "With --if-not-exists that is no failure.");
            }
            output.done(name + " is there already.", done.row(name, false, null, null));
            return;
        }
        int partitions = client.get(result.numPartitions(name));
        int replicas = client.get(result.replicationFactor(name));
        String what = name + " (" + counted(partitions, "partition") + ", " + counted(replicas, "replica") + ")";
        output.done(
                dryRun ? "Would create " + what + "." : "Created " + what + ".",
                done.row(name, !dryRun, partitions, replicas));
    }

    static String counted(long number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }

    @Command(
            name = "alter",
            description = "Changes configs of a topic, or adds partitions. Configs that are not named stay.")
    int alter(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Mixin Consent consent,
            @Option(
                            names = {"-s", "--set"},
                            paramLabel = "KEY=VALUE",
                            description = "Sets a config, for example retention=7d.")
                    Map<String, String> set,
            @Option(names = "--unset", paramLabel = "KEY", description = "Takes the value of the brokers again.")
                    List<String> unset,
            @Option(
                            names = {"-p", "--partitions"},
                            paramLabel = "N",
                            description = "Adds partitions until there are so many.")
                    Integer partitions,
            @Parameters(paramLabel = "TOPIC", description = "The topic.") String name) {
        if (set == null && unset == null && partitions == null) {
            throw CliFailure.usage("Nothing to change.", "Give --set KEY=VALUE, --unset KEY or --partitions N.");
        }
        try (Admin admin = client.admin()) {
            TopicDescription topic = described(admin, client, List.of(name)).get(0);
            Listing changes = new Listing("key", "before", "after", "source");
            if (partitions != null) {
                addPartitions(admin, client, consent, topic, partitions);
                changes.row("partitions", topic.partitions().size(), partitions, null);
            }
            if (set != null || unset != null) {
                new TopicConfigs(admin, client)
                        .change(new ConfigResource(ConfigResource.Type.TOPIC, name), set, unset, consent.dryRun)
                        .rows()
                        .forEach(row -> changes.row(row.toArray()));
            }
            if (consent.dryRun) {
                output.note("Nothing was changed; this would be:");
            }
            output.print(changes, "Nothing was changed.");
        }
        return 0;
    }

    private static void addPartitions(
            Admin admin, ClientOptions client, Consent consent, TopicDescription topic, int partitions) {
        if (!consent.dryRun) {
            consent.require("Add " + (partitions - topic.partitions().size()) + " partitions to " + topic.name()
                    + "? Records with the same key may then be in two partitions, and partitions cannot be taken"
                    + " away.");
        }
        client.get(admin.createPartitions(
                        Map.of(topic.name(), NewPartitions.increaseTo(partitions)),
                        new CreatePartitionsOptions().validateOnly(consent.dryRun))
                .all());
    }

    @Command(name = "delete", description = "Deletes topics with all their records.")
    int delete(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Mixin Consent consent,
            @Option(names = "--if-exists", description = "A topic that is not there is no failure.") boolean ifExists,
            @Parameters(paramLabel = "TOPIC", arity = "1..*", description = "The topics.") List<String> names) {
        try (Admin admin = client.admin()) {
            Set<String> wanted = new TreeSet<>(names);
            if (ifExists) {
                wanted.retainAll(client.get(admin.listTopics(new ListTopicsOptions().listInternal(true))
                        .names()));
            }
            Listing what = losses(admin, client, described(admin, client, wanted));
            if (consent.dryRun) {
                output.print(what, "There is nothing to delete.");
                return 0;
            }
            if (!wanted.isEmpty()) {
                if (terminal.canAsk() && !consent.yes) {
                    new TextTable(what, true, terminal.columns()).print(terminal.err());
                }
                consent.require("Delete " + String.join(", ", wanted) + " with all records?");
                client.get(admin.deleteTopics(wanted).all());
            }
            Listing done = new Listing("topic", "deleted");
            names.forEach(name -> done.row(name, wanted.contains(name)));
            output.done(
                    wanted.isEmpty() ? "There was nothing to delete." : "Deleted " + String.join(", ", wanted) + ".",
                    done);
        }
        return 0;
    }

    /** What is lost with each topic, and which groups have read it. */
    private static Listing losses(Admin admin, ClientOptions client, List<TopicDescription> topics) {
        Listing losses = new Listing("topic", "partitions", "records", "groups");
        Map<String, Set<String>> readers = readers(admin, client);
        for (TopicDescription topic : topics) {
            losses.row(
                    topic.name(),
                    topic.partitions().size(),
                    partitions(topic, LogOffsets.of(admin, client)).rows().stream()
                            .mapToLong(row -> row.get(6) instanceof Long records ? records : 0)
                            .sum(),
                    readers == null ? List.of("?") : List.copyOf(readers.getOrDefault(topic.name(), Set.of())));
        }
        return losses;
    }

    /** The groups with committed offsets, by topic; null if there are too many to look at. */
    private static Map<String, Set<String>> readers(Admin admin, ClientOptions client) {
        Map<String, ListConsumerGroupOffsetsSpec> groups = client
                .get(admin.listGroups().valid())
                .stream()
                .collect(Collectors.toMap(
                        GroupListing::groupId, group -> new ListConsumerGroupOffsetsSpec(), (first, second) -> first));
        if (groups.size() > GROUPS_TO_LOOK_AT) {
            return null;
        }
        Map<String, Set<String>> readers = new TreeMap<>();
        if (!groups.isEmpty()) {
            client.get(admin.listConsumerGroupOffsets(groups).all()).forEach((group, offsets) -> offsets.keySet()
                    .forEach(partition -> readers.computeIfAbsent(partition.topic(), topic -> new TreeSet<>())
                            .add(group)));
        }
        return readers;
    }

    @Command(name = "purge", description = "Deletes the oldest records of a topic; the topic stays.")
    int purge(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Mixin Consent consent,
            @Option(
                            names = "--before",
                            paramLabel = "OFFSET",
                            defaultValue = "end",
                            description = "Deletes the records before: " + OffsetWord.GRAMMAR
                                    + ". Default: end, which deletes all.")
                    String before,
            @Option(
                            names = "--partition",
                            paramLabel = "N",
                            split = ",",
                            description = "Only these partitions, with commas between.")
                    Set<Integer> only,
            @Parameters(paramLabel = "TOPIC", description = "The topic.") String name) {
        OffsetWord word = OffsetWord.parse(before, Clock.systemUTC());
        try (Admin admin = client.admin()) {
            List<TopicPartition> partitions = described(admin, client, List.of(name)).get(0).partitions().stream()
                    .filter(partition -> only == null || only.contains(partition.partition()))
                    .map(partition -> new TopicPartition(name, partition.partition()))
                    .toList();
            LogOffsets offsets = LogOffsets.of(admin, client);
            Map<TopicPartition, Long> start = offsets.start(partitions);
            Map<TopicPartition, Long> to = word.in(partitions, offsets);
            long records = partitions.stream()
                    .mapToLong(each -> Math.max(0, to.get(each) - start.get(each)))
                    .sum();
            if (!consent.dryRun) {
                consent.require("Delete " + counted(records, "record") + " of " + name + "?");
                purge(admin, client, to);
            }
            Listing done = new Listing("partition", "start_before", "start_after", "records");
            partitions.forEach(each -> done.row(
                    each.partition(), start.get(each), to.get(each), Math.max(0, to.get(each) - start.get(each))));
            if (consent.dryRun) {
                output.print(done, "There is nothing to delete.");
            } else {
                output.done("Deleted " + counted(records, "record") + " of " + name + ".", done);
            }
        }
        return 0;
    }

    private static void purge(Admin admin, ClientOptions client, Map<TopicPartition, Long> to) {
        Map<TopicPartition, RecordsToDelete> wanted = new HashMap<>();
        to.forEach((partition, offset) -> wanted.put(partition, RecordsToDelete.beforeOffset(offset)));
        Map<TopicPartition, KafkaFuture<DeletedRecords>> outcomes =
                admin.deleteRecords(wanted).lowWatermarks();
        outcomes.values().forEach(client::get);
    }
}
