package io.felice.console;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.TopicPartition;
import io.felice.api.group.Groups;
import io.felice.api.group.Groups.CommittedOffset;
import io.felice.api.group.Groups.Description;
import io.felice.api.group.Groups.FetchedOffsets;
import io.felice.api.group.Groups.Listing;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.console.access.Caller;
import io.felice.console.access.Permits;
import io.felice.console.http.ApiRequest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** Reads the groups that this node coordinates, and how far they are behind. Any thread that may wait. */
final class GroupReading {
    private final NodeServices services;
    private final Permits permits;

    GroupReading(NodeServices services, Permits permits) {
        this.services = services;
        this.permits = permits;
    }

    /** A group that reads a topic. */
    record OfTopic(String name, String state, Long lag) {}

    /** How many records a group has not read, of the partitions that this node leads. */
    record Lag(Long records, boolean isPartial) {}

    /** The groups that the user may see, by name. */
    List<Listing> seen(Caller caller) {
        List<Listing> all =
                new ArrayList<>(ApiRequest.await(services.need(Groups.class).list()));
        all.sort(Comparator.comparing(Listing::groupId));
        return permits.seen(caller, all, Operation.DESCRIBE, ResourceType.GROUP, Listing::groupId);
    }

    /** The groups with offsets for a topic. Empty while the coordinator is away: the topic can be shown without it. */
    List<OfTopic> of(Caller caller, String topic) {
        try {
            List<Listing> groups = seen(caller);
            Map<String, FetchedOffsets> offsets = offsets(groups);
            List<OfTopic> readers = new ArrayList<>();
            for (Listing group : groups) {
                Map<TopicPartition, CommittedOffset> own = new HashMap<>();
                offsets.get(group.groupId()).offsets().forEach((partition, committed) -> {
                    if (partition.topic().equals(topic)) {
                        own.put(partition, committed);
                    }
                });
                if (!own.isEmpty()) {
                    readers.add(new OfTopic(group.groupId(), group.state().label(), lag(own).records()));
                }
            }
            return readers;
        } catch (RuntimeException away) {
            return List.of();
        }
    }

    Map<String, FetchedOffsets> offsets(List<Listing> groups) {
        return ofEach(groups, id -> services.need(Groups.class).fetchOffsets(id, Optional.empty(), false));
    }

    Map<String, Description> descriptions(List<Listing> groups) {
        return ofEach(groups, id -> services.need(Groups.class).describe(id));
    }

    private static <T> Map<String, T> ofEach(List<Listing> groups, Function<String, CompletionStage<T>> ask) {
        Map<String, CompletableFuture<T>> asked = new HashMap<>();
        groups.forEach(
                group -> asked.put(group.groupId(), ask.apply(group.groupId()).toCompletableFuture()));
        ApiRequest.await(CompletableFuture.allOf(asked.values().toArray(CompletableFuture[]::new)));
        Map<String, T> answers = new HashMap<>();
        asked.forEach((id, answer) -> answers.put(id, answer.join()));
        return answers;
    }

    Lag lag(Map<TopicPartition, CommittedOffset> offsets) {
        long sum = 0;
        boolean isKnown = false;
        boolean isPartial = false;
        for (Map.Entry<TopicPartition, CommittedOffset> each : offsets.entrySet()) {
            CommittedOffset committed = each.getValue();
            if (committed.error() != ErrorCode.NONE || committed.offset() < 0) {
                continue;
            }
            OptionalLong end = end(each.getKey());
            isKnown |= end.isPresent();
            isPartial |= end.isEmpty();
            sum += end.isPresent() ? Math.max(0, end.getAsLong() - committed.offset()) : 0;
        }
        return new Lag(isKnown ? sum : null, isPartial);
    }

    /** Empty if this node does not lead the partition. */
    OptionalLong end(TopicPartition partition) {
        return led(partition)
                .map(Partition::highWatermark)
                .map(OptionalLong::of)
                .orElse(OptionalLong.empty());
    }

    Optional<Partition> led(TopicPartition partition) {
        try {
            return services.find(Partitions.class).map(partitions -> partitions.leader(partition));
        } catch (FeliceException elsewhere) {
            return Optional.empty();
        }
    }
}
