package io.felice.console;

import io.felice.api.ErrorCode;
import io.felice.api.RecordBatch;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.InternalTopics;
import io.felice.api.cluster.PartitionState;
import io.felice.api.cluster.TopicView;
import io.felice.api.group.Groups;
import io.felice.api.group.Groups.CommittedOffset;
import io.felice.api.group.Groups.Description;
import io.felice.api.group.Groups.FetchedOffsets;
import io.felice.api.group.Groups.Listing;
import io.felice.api.group.Groups.MemberDescription;
import io.felice.api.group.Groups.OffsetToCommit;
import io.felice.api.group.Groups.State;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import io.felice.api.storage.Records;
import io.felice.console.access.Permits;
import io.felice.console.http.Answer;
import io.felice.console.http.ApiRequest;
import io.felice.console.http.Endpoint;
import io.felice.console.http.Page;
import io.felice.console.http.Problem;
import io.felice.records.Batches;
import io.felice.records.RecordReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Consumer groups: those that this node coordinates. */
final class GroupEndpoints {
    /** The age of a record is looked up for so many partitions at most. */
    private static final int MOST_AGES = 100;

    /** A shorter time has a value for each second, and the lag is looked up less often. */
    private static final int LEAST_MINUTES = 6;

    private static final int AGE_PATIENCE_MS = 2_000;
    private static final String CONSUMER = "consumer";
    private static final Comparator<TopicPartition> BY_TOPIC =
            Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition);

    private final NodeServices services;
    private final Permits permits;
    private final GroupReading reading;
    private final GroupHistories histories;
    private final Audited audited;

    GroupEndpoints(
            NodeServices services, Permits permits, GroupReading reading, GroupHistories histories, Audited audited) {
        this.histories = histories;
        this.services = services;
        this.permits = permits;
        this.reading = reading;
        this.audited = audited;
    }

    void addTo(Map<String, Endpoint> endpoints) {
        endpoints.put("listGroups", this::list);
        endpoints.put("getGroup", this::group);
        endpoints.put("getGroupHistory", this::history);
        endpoints.put("deleteGroup", this::delete);
        endpoints.put("resetGroup", this::reset);
        endpoints.put("deleteGroupOffsets", this::deleteOffsets);
    }

    private record Member(String id, String client, String host, List<Of> partitions, String instance) {}

    private record Of(String topic, int partition) {}

    private record Progress(
            String topic,
            int partition,
            Long committed,
            Long end,
            Long lag,
            Double lagSeconds,
            String member,
            String metadata) {}

    private record Item(
            String name,
            String type,
            String state,
            int coordinator,
            String protocolType,
            Integer members,
            Integer topics,
            Long lag,
            Boolean lagPartial,
            String assignor,
            List<Member> memberList,
            List<Progress> partitions) {}

    private int me() {
        return services.need(ClusterMetadata.class).brokerId();
    }

    // ---- the list

    private Answer list(ApiRequest request) {
        Optional<String> state = request.query("state");
        List<Listing> groups = reading.seen(request.caller()).stream()
                .filter(group -> state.isEmpty() || group.state().label().equalsIgnoreCase(state.get()))
                .toList();
        int me = me();
        Page<Item> page = Page.of(
                request,
                groups,
                Listing::groupId,
                Map.of("state", Comparator.comparing((Listing group) -> group.state()
                        .label())),
                part -> items(part, me));
        return Answer.of(page.without(otherCoordinators(me)));
    }

    private List<Item> items(List<Listing> groups, int me) {
        Map<String, Description> descriptions = reading.descriptions(groups);
        Map<String, FetchedOffsets> offsets = reading.offsets(groups);
        List<Item> items = new ArrayList<>();
        for (Listing group : groups) {
            Map<TopicPartition, CommittedOffset> own =
                    offsets.get(group.groupId()).offsets();
            Set<String> topics = new HashSet<>();
            own.keySet().forEach(partition -> topics.add(partition.topic()));
            GroupReading.Lag lag = reading.lag(own);
            items.add(new Item(
                    group.groupId(),
                    "classic",
                    group.state().label(),
                    me,
                    group.protocolType(),
                    descriptions.get(group.groupId()).members().size(),
                    topics.size(),
                    lag.records(),
                    lag.isPartial() ? true : null,
                    null,
                    null,
                    null));
        }
        return items;
    }

    /** Brokers that lead partitions of the offsets topic: only they know the groups in these. */
    private List<Page.Unreachable> otherCoordinators(int me) {
        ClusterView view = services.need(ClusterMetadata.class).view();
        Set<Integer> others = new TreeSet<>();
        view.topic(InternalTopics.CONSUMER_OFFSETS).map(TopicView::partitions).orElse(Map.of()).values().stream()
                .filter(PartitionState::hasLeader)
                .forEach(state -> others.add(state.leader()));
        others.remove(me);
        return others.stream()
                .map(broker -> new Page.Unreachable(
                        broker,
                        "Only broker " + broker + " knows the groups that it coordinates. See its own console."))
                .toList();
    }

    // ---- one group

    private Description find(ApiRequest request) {
        String name = request.path("group");
        if (!permits.sees(request.caller(), Operation.DESCRIBE, ResourceType.GROUP, name)) {
            throw Problem.notFound("There is no group of this name.");
        }
        Description group = ApiRequest.await(services.need(Groups.class).describe(name));
        if (group.error() == ErrorCode.NOT_COORDINATOR) {
            throw Problem.of(
                    503,
                    "not-on-this-node",
                    "Another broker coordinates this group.",
                    "See the console of that broker.");
        } else if (group.error() != ErrorCode.NONE) {
            throw Problem.of(group.error(), null);
        } else if (group.state() == State.DEAD) {
            throw Problem.notFound("There is no group of this name.");
        }
        return group;
    }

    private Map<TopicPartition, CommittedOffset> committed(String group) {
        FetchedOffsets fetched =
                ApiRequest.await(services.need(Groups.class).fetchOffsets(group, Optional.empty(), false));
        if (fetched.error() != ErrorCode.NONE) {
            throw Problem.of(fetched.error(), null);
        }
        Map<TopicPartition, CommittedOffset> committed = new TreeMap<>(BY_TOPIC);
        fetched.offsets().forEach((partition, offset) -> {
            if (offset.error() == ErrorCode.NONE && offset.offset() >= 0) {
                committed.put(partition, offset);
            }
        });
        return committed;
    }

    private Answer group(ApiRequest request) {
        Description group = find(request);
        Map<TopicPartition, CommittedOffset> committed = committed(group.groupId());
        Map<TopicPartition, String> readers = new TreeMap<>(BY_TOPIC);
        List<Member> members = new ArrayList<>();
        for (MemberDescription member : group.members()) {
            List<TopicPartition> assigned =
                    CONSUMER.equals(group.protocolType()) ? ConsumerAssignment.parse(member.assignment()) : List.of();
            assigned.forEach(partition -> readers.put(partition, member.memberId()));
            members.add(new Member(
                    member.memberId(),
                    member.clientId(),
                    member.clientHost().replaceFirst("^/", ""),
                    assigned.stream()
                            .map(each -> new Of(each.topic(), each.partition()))
                            .toList(),
                    member.groupInstanceId()));
        }
        GroupReading.Lag lag = reading.lag(committed);
        Set<String> topics = new HashSet<>();
        committed.keySet().forEach(partition -> topics.add(partition.topic()));
        return Answer.of(new Item(
                group.groupId(),
                "classic",
                group.state().label(),
                me(),
                group.protocolType(),
                members.size(),
                topics.size(),
                lag.records(),
                lag.isPartial() ? true : null,
                group.protocol() == null || group.protocol().isEmpty() ? null : group.protocol(),
                members,
                progress(committed, readers)));
    }

    private List<Progress> progress(
            Map<TopicPartition, CommittedOffset> committed, Map<TopicPartition, String> readers) {
        Set<TopicPartition> all = new TreeSet<>(BY_TOPIC);
        all.addAll(committed.keySet());
        all.addAll(readers.keySet());
        Map<TopicPartition, Double> ages = ages(committed);
        List<Progress> progress = new ArrayList<>();
        for (TopicPartition partition : all) {
            CommittedOffset offset = committed.get(partition);
            OptionalLong end = reading.end(partition);
            Long at = offset == null ? null : offset.offset();
            progress.add(new Progress(
                    partition.topic(),
                    partition.partition(),
                    at,
                    end.isPresent() ? end.getAsLong() : null,
                    at != null && end.isPresent() ? Math.max(0, end.getAsLong() - at) : null,
                    ages.get(partition),
                    readers.get(partition),
                    offset == null || offset.metadata().isEmpty() ? null : offset.metadata()));
        }
        return progress;
    }

    /** How old the first record is that was not read, in seconds. */
    private Map<TopicPartition, Double> ages(Map<TopicPartition, CommittedOffset> committed) {
        Map<TopicPartition, CompletableFuture<Double>> asked = new HashMap<>();
        Map<TopicPartition, Double> ages = new HashMap<>();
        long now = System.currentTimeMillis();
        for (Map.Entry<TopicPartition, CommittedOffset> each : committed.entrySet()) {
            Partition partition = reading.led(each.getKey()).orElse(null);
            if (partition == null) {
                continue;
            }
            long offset = Math.max(each.getValue().offset(), partition.logStartOffset());
            if (offset >= partition.highWatermark()) {
                ages.put(each.getKey(), 0.0);
            } else if (asked.size() < MOST_AGES) {
                asked.put(each.getKey(), age(partition, offset, now));
            }
        }
        CompletableFuture.allOf(asked.values().toArray(CompletableFuture[]::new))
                .completeOnTimeout(null, AGE_PATIENCE_MS, TimeUnit.MILLISECONDS)
                .exceptionally(unread -> null)
                .join();
        asked.forEach((partition, age) -> {
            if (age.isDone() && !age.isCompletedExceptionally() && age.join() != null) {
                ages.put(partition, age.join());
            }
        });
        return ages;
    }

    private static CompletableFuture<Double> age(Partition partition, long offset, long now) {
        return partition
                .read(offset, 1, ReadLimit.HIGH_WATERMARK)
                .thenApply(records -> {
                    try (records) {
                        OptionalLong timestamp = timestampAt(records, offset);
                        return timestamp.isPresent()
                                ? Double.valueOf(Math.max(0, now - timestamp.getAsLong()) / 1_000.0)
                                : null;
                    }
                })
                .toCompletableFuture();
    }

    private static OptionalLong timestampAt(Records records, long offset) {
        long[] found = {-1};
        for (ByteBuffer bytes : FetchedBytes.of(records)) {
            for (RecordBatch batch : Batches.split(bytes.duplicate())) {
                RecordReader.read(batch, (at, timestamp, key, value) -> {
                    found[0] = at >= offset ? timestamp : -1;
                    return at < offset;
                });
                if (found[0] >= 0) {
                    return OptionalLong.of(found[0]);
                }
            }
        }
        return OptionalLong.empty();
    }

    private Answer history(ApiRequest request) {
        String group = find(request).groupId();
        int minutes = Math.max(LEAST_MINUTES, request.query("minutes", 1, 60, 60));
        return Answer.of(histories.of(group).shown(List.of("lag"), minutes));
    }

    // ---- changes

    private record Done(boolean dryRun, String sentence) {}

    private Answer delete(ApiRequest request) {
        Description group = find(request);
        permits.demand(request.caller(), Operation.DELETE, ResourceType.GROUP, group.groupId());
        if (!group.members().isEmpty()) {
            throw Problem.of(
                    ErrorCode.NON_EMPTY_GROUP,
                    "The group has " + group.members().size() + " members.");
        } else if (!request.isDryRun()) {
            throwIfFailed(ApiRequest.await(services.need(Groups.class).delete(group.groupId())));
            audited.changed(request, "group-delete " + group.groupId());
        }
        return Answer.of(new Done(request.isDryRun(), group.groupId()));
    }

    private static void throwIfFailed(ErrorCode code) {
        if (code != ErrorCode.NONE) {
            throw Problem.of(code, null);
        }
    }

    private Answer deleteOffsets(ApiRequest request) {
        Description group = find(request);
        String topic = request.path("topic");
        permits.demand(request.caller(), Operation.DELETE, ResourceType.GROUP, group.groupId());
        Set<TopicPartition> partitions =
                new HashSet<>(committed(group.groupId()).keySet());
        partitions.removeIf(partition -> !partition.topic().equals(topic));
        if (partitions.isEmpty()) {
            throw Problem.notFound("The group has no offsets for this topic.");
        } else if (!request.isDryRun()) {
            var deleted = ApiRequest.await(services.need(Groups.class).deleteOffsets(group.groupId(), partitions));
            throwIfFailed(deleted.error());
            deleted.partitions().values().forEach(GroupEndpoints::throwIfFailed);
            audited.changed(request, "group-offsets-delete " + group.groupId() + " " + topic);
        }
        return Answer.of(new Done(request.isDryRun(), partitions.size() + " offsets of " + group.groupId()));
    }

    private record Chosen(String topic, List<Integer> partitions) {}

    private record Reset(String to, Long value, List<Chosen> topics) {}

    private record Row(
            String topic, int partition, Long before, Long after, Long replayed, Long skipped, Problem.Body problem) {}

    private record ResetResult(boolean dryRun, boolean active, List<Row> rows) {}

    private Answer reset(ApiRequest request) throws IOException {
        Reset wanted = request.body(Reset.class);
        Description group = find(request);
        permits.demand(request.caller(), Operation.READ, ResourceType.GROUP, group.groupId());
        Map<TopicPartition, CommittedOffset> committed = committed(group.groupId());
        boolean isActive = !group.members().isEmpty();
        boolean isDryRun = request.isDryRun();
        if (isActive && !isDryRun) {
            throw Problem.of(
                    ErrorCode.NON_EMPTY_GROUP,
                    "The group has " + group.members().size() + " members, which would go on from where they are.");
        }
        List<Row> rows = new ArrayList<>();
        Map<TopicPartition, OffsetToCommit> offsets = new HashMap<>();
        for (TopicPartition partition : chosen(wanted, committed.keySet())) {
            Long before = Optional.ofNullable(committed.get(partition))
                    .map(CommittedOffset::offset)
                    .orElse(null);
            try {
                long after = target(wanted, partition, before);
                rows.add(row(partition, before, after, null));
                offsets.put(partition, new OffsetToCommit(after, -1, "", -1));
            } catch (RuntimeException failure) {
                rows.add(row(partition, before, null, Problem.of(failure).body()));
            }
        }
        if (!isDryRun && !offsets.isEmpty()) {
            Map<TopicPartition, ErrorCode> errors =
                    ApiRequest.await(services.need(Groups.class).commit(group.groupId(), -1, "", null, offsets));
            rows.replaceAll(row -> withError(row, errors));
            audited.changed(request, "group-reset " + group.groupId() + " to " + wanted.to());
        }
        return Answer.of(new ResetResult(isDryRun, isActive, rows));
    }

    private static Row withError(Row row, Map<TopicPartition, ErrorCode> errors) {
        ErrorCode code = errors.getOrDefault(new TopicPartition(row.topic(), row.partition()), ErrorCode.NONE);
        return code == ErrorCode.NONE
                ? row
                : new Row(
                        row.topic(),
                        row.partition(),
                        row.before(),
                        null,
                        null,
                        null,
                        Problem.of(code, null).body());
    }

    private static Row row(TopicPartition partition, Long before, Long after, Problem.Body problem) {
        boolean isKnown = before != null && after != null;
        return new Row(
                partition.topic(),
                partition.partition(),
                before,
                after,
                isKnown ? Math.max(0, before - after) : null,
                isKnown ? Math.max(0, after - before) : null,
                problem);
    }

    private Set<TopicPartition> chosen(Reset wanted, Set<TopicPartition> committed) {
        Set<TopicPartition> chosen = new TreeSet<>(BY_TOPIC);
        if (wanted.topics() == null) {
            chosen.addAll(committed);
        } else {
            ClusterView view = services.need(ClusterMetadata.class).view();
            for (Chosen each : wanted.topics()) {
                TopicView topic = view.topic(each.topic() == null ? "" : each.topic())
                        .orElseThrow(() -> Problem.notFound("There is no topic " + each.topic() + "."));
                (each.partitions() == null ? topic.partitions().keySet() : each.partitions())
                        .forEach(number -> chosen.add(new TopicPartition(topic.name(), number)));
            }
        }
        if (chosen.isEmpty()) {
            throw Problem.invalid("There is nothing to reset: the group has no offsets. Name topics.");
        }
        return chosen;
    }

    private long target(Reset wanted, TopicPartition id, Long before) {
        Partition partition = reading.led(id)
                .orElseThrow(() -> Problem.of(
                        503,
                        "not-on-this-node",
                        "Another broker leads the partition, so its offsets are not known here."));
        long start = partition.logStartOffset();
        long end = partition.highWatermark();
        return switch (wanted.to() == null ? "" : wanted.to()) {
            case "earliest" -> start;
            case "latest" -> end;
            case "offset" -> within(value(wanted), start, end);
            case "shift" -> {
                if (before == null) {
                    throw Problem.invalid("The group has no offset here that could be shifted.");
                }
                yield within(before + value(wanted), start, end);
            }
            case "time" -> ApiRequest.await(partition.offsetFor(value(wanted), ReadLimit.HIGH_WATERMARK))
                    .map(Partition.TimestampedOffset::offset)
                    .orElse(end);
            default -> throw Problem.invalid("The member to is one of earliest, latest, offset, time, shift.");
        };
    }

    private static long value(Reset wanted) {
        if (wanted.value() == null) {
            throw Problem.invalid("The member value is missing.");
        }
        return wanted.value();
    }

    private static long within(long offset, long start, long end) {
        return Math.max(start, Math.min(end, offset));
    }
}
