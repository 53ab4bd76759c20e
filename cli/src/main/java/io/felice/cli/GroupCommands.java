package io.felice.cli;

import io.felice.shell.text.Listing;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code felice group}. */
@Command(name = "group", description = "Consumer groups: list, describe, reset, delete.")
final class GroupCommands {
    private static final Set<GroupState> IDLE = Set.of(GroupState.EMPTY, GroupState.DEAD);
    private static final Comparator<TopicPartition> IN_ORDER =
            Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition);

    private final Terminal terminal;

    GroupCommands(Terminal terminal) {
        this.terminal = terminal;
    }

    @Command(name = "list", description = "Lists groups.")
    int list(@Mixin ClientOptions client, @Mixin OutputOptions output) {
        try (Admin admin = client.admin()) {
            Listing groups = new Listing("group", "type", "protocol", "state");
            client.get(admin.listGroups().all()).stream()
                    .sorted(Comparator.comparing(GroupListing::groupId))
                    .forEach(group -> groups.row(
                            group.groupId(),
                            group.type().map(GroupCommands::word).orElse(null),
                            group.protocol(),
                            group.groupState().map(GroupCommands::word).orElse(null)));
            output.print(groups, "There are no groups.");
        }
        return 0;
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @Command(name = "describe", description = "Shows the members, the committed offsets and the lag of groups.")
    int describe(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Parameters(paramLabel = "GROUP", arity = "1..*", description = "The groups.") List<String> names) {
        try (Admin admin = client.admin()) {
            List<Sheet> sheets = new ArrayList<>();
            for (String name : names) {
                ConsumerGroupDescription group = described(admin, client, name);
                Map<TopicPartition, Long> committed = committed(admin, client, name);
                requireKnown(group, committed);
                sheets.add(sheet(group, committed, LogOffsets.of(admin, client)));
            }
            output.print(sheets);
        }
        return 0;
    }

    private static ConsumerGroupDescription described(Admin admin, ClientOptions client, String name) {
        try {
            return client.get(admin.describeConsumerGroups(List.of(name))
                    .describedGroups()
                    .get(name));
        } catch (CliFailure failure) {
            throw failure.exitCode() == CliFailure.NOT_FOUND ? missing(name) : failure;
        }
    }

    private static CliFailure missing(String name) {
        return new CliFailure(
                CliFailure.NOT_FOUND,
                Errors.GROUP_ID_NOT_FOUND.name(),
                "There is no group " + name + ".",
                "felice group list shows the groups.");
    }

    /** Brokers answer for a group that they have never seen as for one that is dead. */
    private static void requireKnown(ConsumerGroupDescription group, Map<TopicPartition, Long> committed) {
        if (group.groupState() == GroupState.DEAD && committed.isEmpty()) {
            throw missing(group.groupId());
        }
    }

    private static Map<TopicPartition, Long> committed(Admin admin, ClientOptions client, String group) {
        Map<TopicPartition, Long> committed = new TreeMap<>(IN_ORDER);
        client.get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata())
                .forEach((partition, offset) -> {
                    if (offset != null) {
                        committed.put(partition, offset.offset());
                    }
                });
        return committed;
    }

    private static Sheet sheet(
            ConsumerGroupDescription group, Map<TopicPartition, Long> committed, LogOffsets offsets) {
        Map<TopicPartition, MemberDescription> owners = new HashMap<>();
        Listing members = new Listing("member", "client", "host", "partitions");
        for (MemberDescription member : group.members()) {
            Collection<TopicPartition> own = new TreeSet<>(IN_ORDER);
            own.addAll(member.assignment().topicPartitions());
            own.forEach(partition -> owners.put(partition, member));
            members.row(
                    member.groupInstanceId().orElse(member.consumerId()),
                    member.clientId(),
                    member.host().replaceFirst("^/", ""),
                    own.stream().map(TopicPartition::toString).toList());
        }
        Listing partitions = new Listing("topic", "partition", "committed", "end", "lag", "client", "host");
        long lag = lags(committed, owners, offsets, partitions);
        return new Sheet()
                .with("group", group.groupId())
                .with("type", word(group.type()))
                .with("state", word(group.groupState()))
                .with("assignor", group.partitionAssignor())
                .with(
                        "coordinator",
                        group.coordinator() == null ? null : group.coordinator().id())
                .with("lag", lag)
                .with("members", members)
                .with("offsets", partitions);
    }

    /** Adds a row for each partition, and returns the sum of what is not read. */
    private static long lags(
            Map<TopicPartition, Long> committed,
            Map<TopicPartition, MemberDescription> owners,
            LogOffsets offsets,
            Listing rows) {
        Set<TopicPartition> all = new TreeSet<>(IN_ORDER);
        all.addAll(committed.keySet());
        all.addAll(owners.keySet());
        Map<TopicPartition, Long> ends = ends(all, offsets);
        long sum = 0;
        for (TopicPartition partition : all) {
            Long at = committed.get(partition);
            Long end = ends.get(partition);
            Long lag = at == null || end == null ? null : Math.max(0, end - at);
            sum += lag == null ? 0 : lag;
            MemberDescription owner = owners.get(partition);
            rows.row(
                    partition.topic(),
                    partition.partition(),
                    at,
                    end,
                    lag,
                    owner == null ? null : owner.clientId(),
                    owner == null ? null : owner.host().replaceFirst("^/", ""));
        }
        return sum;
    }

    /** A topic that was deleted has no end; its offsets are kept for a while. */
    private static Map<TopicPartition, Long> ends(Set<TopicPartition> partitions, LogOffsets offsets) {
        if (partitions.isEmpty()) {
            return Map.of();
        }
        try {
            return offsets.end(partitions);
        } catch (CliFailure someAreGone) {
            Map<TopicPartition, Long> ends = new HashMap<>();
            for (TopicPartition each : partitions) {
                try {
                    ends.putAll(offsets.end(List.of(each)));
                } catch (CliFailure gone) {
                    ends.put(each, null);
                }
            }
            return ends;
        }
    }

    /** Where a group goes: to a place, or by a number of records. */
    static final class Target {
        @Option(
                names = "--to",
                paramLabel = "OFFSET",
                required = true,
                description = "Where to go: " + OffsetWord.GRAMMAR + ".")
        String to;

        @Option(
                names = "--shift",
                paramLabel = "N",
                required = true,
                description = "By so many records: forward, or with a minus backward.")
        Long shift;
    }

    @Command(name = "reset", description = "Moves the committed offsets of a group that has no members.")
    int reset(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Mixin Consent consent,
            @ArgGroup(multiplicity = "1") Target target,
            @Option(
                            names = {"-t", "--topic"},
                            paramLabel = "TOPIC[:N,N]",
                            description = "Only this topic, or these partitions of it. May be repeated. Default: what"
                                    + " the group has committed.")
                    List<String> topics,
            @Parameters(paramLabel = "GROUP", description = "The group.") String name) {
        try (Admin admin = client.admin()) {
            ConsumerGroupDescription group = described(admin, client, name);
            Map<TopicPartition, Long> before = committed(admin, client, name);
            Set<TopicPartition> partitions = chosen(admin, client, topics, before);
            if (partitions.isEmpty()) {
                throw topics == null ? missing(name) : CliFailure.notFound("There is no such partition.", null);
            }
            Map<TopicPartition, Long> after = after(target, partitions, before, LogOffsets.of(admin, client));
            Listing plan = plan(partitions, before, after);
            requireIdle(group);
            if (consent.dryRun) {
                output.print(plan, "");
                return 0;
            }
            if (terminal.canAsk() && !consent.yes) {
                new TextTable(plan, true, terminal.columns()).print(terminal.err());
            }
            consent.require("Move the offsets of " + name + "?");
            move(admin, client, name, after);
            Map<TopicPartition, Long> now = committed(admin, client, name);
            if (!now.entrySet().containsAll(after.entrySet())) {
                throw new CliFailure(
                        CliFailure.FAILED,
                        "CHANGED_MEANWHILE",
                        "The group " + name + " has other offsets than it was given.",
                        "Did a consumer start meanwhile? felice group describe " + name);
            }
            output.print(plan, "");
        }
        return 0;
    }

    private static void requireIdle(ConsumerGroupDescription group) {
        if (!IDLE.contains(group.groupState())) {
            List<String> members = group.members().stream()
                    .map(member -> member.clientId() + " on " + member.host().replaceFirst("^/", ""))
                    .toList();
            throw new CliFailure(
                    CliFailure.FAILED,
                    "NON_EMPTY_GROUP",
                    "The group " + group.groupId() + " is used by " + String.join(", ", members)
                            + "; its members would overwrite the offsets.",
                    "Stop them first.");
        }
    }

    private static Set<TopicPartition> chosen(
            Admin admin, ClientOptions client, List<String> topics, Map<TopicPartition, Long> committed) {
        Set<TopicPartition> partitions = new TreeSet<>(IN_ORDER);
        if (topics == null) {
            partitions.addAll(committed.keySet());
            return partitions;
        }
        for (String word : topics) {
            int colon = word.indexOf(':');
            String topic = colon < 0 ? word : word.substring(0, colon);
            Set<String> only = colon < 0
                    ? null
                    : new HashSet<>(List.of(word.substring(colon + 1).split(",")));
            try {
                client
                        .get(admin.describeTopics(List.of(topic))
                                .topicNameValues()
                                .get(topic))
                        .partitions()
                        .stream()
                        .filter(each -> only == null || only.contains(String.valueOf(each.partition())))
                        .forEach(each -> partitions.add(new TopicPartition(topic, each.partition())));
            } catch (CliFailure failure) {
                throw failure.exitCode() == CliFailure.NOT_FOUND
                        ? failure.saying("There is no topic " + topic + ".", null)
                        : failure;
            }
        }
        return partitions;
    }

    private static Map<TopicPartition, Long> after(
            Target target, Set<TopicPartition> partitions, Map<TopicPartition, Long> before, LogOffsets offsets) {
        if (target.to != null) {
            return OffsetWord.parse(target.to, Clock.systemUTC()).in(partitions, offsets);
        }
        Map<TopicPartition, Long> start = offsets.start(partitions);
        Map<TopicPartition, Long> end = offsets.end(partitions);
        Map<TopicPartition, Long> after = new HashMap<>();
        for (TopicPartition partition : partitions) {
            long from = before.getOrDefault(partition, start.get(partition));
            after.put(partition, Math.max(start.get(partition), Math.min(end.get(partition), from + target.shift)));
        }
        return after;
    }

    private static Listing plan(
            Set<TopicPartition> partitions, Map<TopicPartition, Long> before, Map<TopicPartition, Long> after) {
        Listing plan = new Listing("topic", "partition", "before", "after", "effect");
        for (TopicPartition partition : partitions) {
            Long from = before.get(partition);
            long to = after.get(partition);
            plan.row(partition.topic(), partition.partition(), from, to, effect(from, to));
        }
        return plan;
    }

    private static String effect(Long from, long to) {
        if (from == null) {
            return "new";
        }
        String records = TopicCommands.counted(Math.abs(to - from), "record");
        return to == from ? "none" : to < from ? "reads " + records + " again" : "skips " + records;
    }

    private static void move(Admin admin, ClientOptions client, String group, Map<TopicPartition, Long> after) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        after.forEach((partition, offset) -> offsets.put(partition, new OffsetAndMetadata(offset)));
        client.get(admin.alterConsumerGroupOffsets(group, offsets).all());
    }

    @Command(name = "delete", description = "Deletes groups, or what a group has committed for topics.")
    int delete(
            @Mixin ClientOptions client,
            @Mixin OutputOptions output,
            @Mixin Consent consent,
            @Option(
                            names = {"-t", "--topic"},
                            paramLabel = "TOPIC",
                            description = "Deletes only the offsets for this topic.")
                    List<String> topics,
            @Parameters(paramLabel = "GROUP", arity = "1..*", description = "The groups.") List<String> names) {
        try (Admin admin = client.admin()) {
            Listing done = new Listing("group", "topic", "partition", "committed");
            Map<String, Set<TopicPartition>> offsets = new TreeMap<>();
            for (String name : names) {
                ConsumerGroupDescription group = described(admin, client, name);
                Map<TopicPartition, Long> committed = committed(admin, client, name);
                requireKnown(group, committed);
                if (topics == null) {
                    requireIdle(group);
                } else {
                    committed.keySet().removeIf(partition -> !topics.contains(partition.topic()));
                }
                offsets.put(name, committed.keySet());
                committed.forEach(
                        (partition, offset) -> done.row(name, partition.topic(), partition.partition(), offset));
            }
            if (consent.dryRun) {
                output.print(done, "There are no committed offsets.");
                return 0;
            }
            String what = (topics == null ? "the group " : "offsets of ") + String.join(", ", names);
            consent.require("Delete " + what + "?");
            if (topics == null) {
                client.get(admin.deleteConsumerGroups(names).all());
            } else {
                offsets.forEach((group, partitions) -> client.get(
                        admin.deleteConsumerGroupOffsets(group, partitions).all()));
            }
            output.done("Deleted " + what + ".", done);
        }
        return 0;
    }
}
