package io.felice.coordinator;

import static io.felice.api.ErrorCode.COORDINATOR_NOT_AVAILABLE;
import static io.felice.api.ErrorCode.GROUP_ID_NOT_FOUND;
import static io.felice.api.ErrorCode.GROUP_MAX_SIZE_REACHED;
import static io.felice.api.ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC;
import static io.felice.api.ErrorCode.ILLEGAL_GENERATION;
import static io.felice.api.ErrorCode.NONE;
import static io.felice.api.ErrorCode.NON_EMPTY_GROUP;
import static io.felice.api.ErrorCode.NOT_COORDINATOR;
import static io.felice.api.ErrorCode.OFFSET_METADATA_TOO_LARGE;
import static io.felice.api.ErrorCode.REBALANCE_IN_PROGRESS;
import static io.felice.api.ErrorCode.UNKNOWN_MEMBER_ID;
import static io.felice.api.ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
import static io.felice.api.group.Groups.State.COMPLETING_REBALANCE;
import static io.felice.api.group.Groups.State.DEAD;
import static io.felice.api.group.Groups.State.EMPTY;
import static io.felice.api.group.Groups.State.STABLE;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.config.BrokerConfig;
import io.felice.api.group.Groups.CommittedOffset;
import io.felice.api.group.Groups.DeletedOffsets;
import io.felice.api.group.Groups.FetchedOffsets;
import io.felice.api.group.Groups.OffsetToCommit;
import io.felice.coordinator.OffsetsRecord.GroupStored;
import io.felice.coordinator.OffsetsRecord.OffsetStored;
import io.felice.coordinator.OffsetsRecord.StoredOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The committed offsets of a shard's groups: commit, fetch, deletion, expiry (KIP-211), and the deletion of groups. Runs on
 * the shard's executor.
 */
final class OffsetStore {
    private static final Logger LOG = LoggerFactory.getLogger(OffsetStore.class);

    private final Shard shard;
    private final ClusterMetadata metadata;
    private final Counters counters;

    OffsetStore(Shard shard, ClusterMetadata metadata, Counters counters) {
        this.shard = shard;
        this.metadata = metadata;
        this.counters = counters;
    }

    // ---- commit and fetch

    record Commit(
            String groupId,
            int generationId,
            String memberId,
            String groupInstanceId,
            Map<TopicPartition, OffsetToCommit> offsets) {
        Commit {
            memberId = Member.orEmpty(memberId);
        }

        Map<TopicPartition, ErrorCode> all(ErrorCode error) {
            Map<TopicPartition, ErrorCode> outcomes = new HashMap<>();
            offsets.keySet().forEach(partition -> outcomes.put(partition, error));
            return outcomes;
        }
    }

    void commit(Commit commit, CompletableFuture<Map<TopicPartition, ErrorCode>> answer) {
        Map<TopicPartition, ErrorCode> outcomes = new HashMap<>();
        List<OffsetStored> records = checked(commit, outcomes);
        if (records.isEmpty()) {
            shard.answer(answer, outcomes);
            return;
        }
        Group group = shard.group(commit.groupId());
        ErrorCode refused = shard.hasRoomFor(commit.groupId()) ? check(group, commit) : GROUP_MAX_SIZE_REACHED;
        if (refused != NONE) {
            records.forEach(record -> outcomes.put(record.partition(), refused));
            shard.answer(answer, outcomes);
            return;
        }
        Group committing = group == null ? shard.groupOrNew(commit.groupId()) : group;
        store(committing, records, error -> {
            records.forEach(record -> outcomes.put(record.partition(), ofCommit(error)));
            shard.answer(answer, outcomes);
        });
    }

    /** The records to write. For a partition whose offset cannot be committed, puts the error into {@code outcomes}. */
    private List<OffsetStored> checked(Commit commit, Map<TopicPartition, ErrorCode> outcomes) {
        int longest = shard.configs().broker().getInt(BrokerConfig.OFFSET_METADATA_MAX_BYTES);
        ClusterView view = metadata.view();
        long now = shard.time().calendarMs();
        List<OffsetStored> records = new ArrayList<>(commit.offsets().size());
        commit.offsets().forEach((partition, offset) -> {
            String note = Member.orEmpty(offset.metadata());
            if (!exists(view, partition)) {
                outcomes.put(partition, UNKNOWN_TOPIC_OR_PARTITION);
            } else if (note.length() > longest || !GroupLimits.fits(note, GroupLimits.MAX_STRING_BYTES)) {
                outcomes.put(partition, OFFSET_METADATA_TOO_LARGE);
            } else {
                long expireAt = offset.expireAt() < 0 ? StoredOffset.BY_RETENTION : offset.expireAt();
                StoredOffset value = new StoredOffset(offset.offset(), offset.leaderEpoch(), note, now, expireAt);
                records.add(new OffsetStored(commit.groupId(), partition, value));
            }
        });
        return records;
    }

    private static boolean exists(ClusterView view, TopicPartition partition) {
        return view.topic(partition.topic())
                .flatMap(topic -> topic.partition(partition.partition()))
                .isPresent();
    }

    /** NONE, or the error of the whole request. Only members may commit for a group that has members. */
    private ErrorCode check(Group group, Commit commit) {
        if (group == null) {
            return commit.generationId() < 0 ? NONE : GROUP_ID_NOT_FOUND;
        }
        if (group.is(DEAD)) {
            return COORDINATOR_NOT_AVAILABLE;
        }
        if (group.is(EMPTY) && commit.generationId() < 0) {
            return NONE;
        }
        boolean anonymous =
                commit.generationId() < 0 && commit.memberId().isEmpty() && commit.groupInstanceId() == null;
        ErrorCode stranger = anonymous ? UNKNOWN_MEMBER_ID : group.check(commit.memberId(), commit.groupInstanceId());
        if (stranger != NONE) {
            return stranger;
        }
        if (commit.generationId() != group.generation()) {
            return ILLEGAL_GENERATION;
        }
        if (group.is(COMPLETING_REBALANCE)) {
            return REBALANCE_IN_PROGRESS;
        }
        group.member(commit.memberId()).seen(shard.time().nowMs());
        return NONE;
    }

    private void store(Group group, List<OffsetStored> records, Consumer<ErrorCode> then) {
        Set<TopicPartition> partitions = new HashSet<>();
        records.forEach(record -> partitions.add(record.partition()));
        group.commitBegun(partitions);
        Consumer<ErrorCode> report = error -> {
            if (error == NONE) {
                counters.commits.add(records.size());
            }
            then.accept(error);
        };
        shard.write(records, report, () -> {
            group.commitEnded(partitions);
            shard.dropIfVoid(group);
        });
    }

    /** As in Kafka. */
    private static ErrorCode ofCommit(ErrorCode error) {
        return switch (error) {
            case UNKNOWN_TOPIC_OR_PARTITION,
                    NOT_ENOUGH_REPLICAS,
                    NOT_ENOUGH_REPLICAS_AFTER_APPEND,
                    REQUEST_TIMED_OUT -> COORDINATOR_NOT_AVAILABLE;
            case NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR -> NOT_COORDINATOR;
            case MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_FETCH_SIZE -> ErrorCode.INVALID_COMMIT_OFFSET_SIZE;
            default -> error;
        };
    }

    FetchedOffsets fetch(String groupId, Optional<List<TopicPartition>> partitions) {
        Group group = shard.group(groupId);
        Map<TopicPartition, StoredOffset> committed = group == null || group.is(DEAD) ? Map.of() : group.offsets();
        Map<TopicPartition, CommittedOffset> found = new HashMap<>();
        for (TopicPartition partition :
                partitions.<Collection<TopicPartition>>map(p -> p).orElse(committed.keySet())) {
            StoredOffset stored = committed.get(partition);
            found.put(
                    partition,
                    stored == null
                            ? CommittedOffset.none(NONE)
                            : new CommittedOffset(stored.offset(), stored.leaderEpoch(), stored.metadata(), NONE));
        }
        return new FetchedOffsets(NONE, found);
    }

    // ---- delete

    void deleteOffsets(String groupId, Set<TopicPartition> partitions, CompletableFuture<DeletedOffsets> answer) {
        Group group = shard.group(groupId);
        if (group == null || group.is(DEAD)) {
            shard.answer(answer, new DeletedOffsets(GROUP_ID_NOT_FOUND, Map.of()));
            return;
        }
        if (!group.is(EMPTY) && !group.isConsumerGroup()) {
            shard.answer(answer, new DeletedOffsets(NON_EMPTY_GROUP, Map.of()));
            return;
        }
        Map<TopicPartition, ErrorCode> outcomes = new HashMap<>();
        Set<TopicPartition> deletable = new HashSet<>();
        ClusterView view = metadata.view();
        for (TopicPartition partition : partitions) {
            if (!exists(view, partition)) {
                outcomes.put(partition, UNKNOWN_TOPIC_OR_PARTITION);
            } else if (isSubscribed(group, partition.topic())) {
                outcomes.put(partition, GROUP_SUBSCRIBED_TO_TOPIC);
            } else {
                deletable.add(partition);
            }
        }
        forget(group, deletable, error -> {
            deletable.forEach(partition -> outcomes.put(partition, ofCommit(error)));
            shard.answer(answer, new DeletedOffsets(NONE, outcomes));
        });
    }

    /** True also if the members' subscriptions cannot be read: then the group may be subscribed to any topic. */
    private static boolean isSubscribed(Group group, String topic) {
        return !group.is(EMPTY)
                && group.subscribedTopics()
                        .map(topics -> topics.contains(topic))
                        .orElse(true);
    }

    void delete(String groupId, CompletableFuture<ErrorCode> answer) {
        Group group = shard.group(groupId);
        if (group == null || group.is(DEAD)) {
            shard.answer(answer, GROUP_ID_NOT_FOUND);
        } else if (!group.is(EMPTY)) {
            shard.answer(answer, NON_EMPTY_GROUP);
        } else {
            deleteEmpty(group, error -> shard.answer(answer, ofCommit(error)));
        }
    }

    /**
     * Deletes an empty group: writes tombstones for its offsets and its generation. The group is DEAD while the tombstones
     * are being written, and EMPTY again if the write fails.
     */
    private void deleteEmpty(Group group, Consumer<ErrorCode> then) {
        group.become(DEAD, group.stateSince());
        Set<TopicPartition> all = new HashSet<>(group.offsets().keySet());
        all.addAll(group.committing());
        List<OffsetsRecord> tombstones = offsetTombstones(group, all);
        if (shard.isStored(group)) {
            tombstones.add(new GroupStored(group.id(), null));
        }
        writeAll(tombstones, error -> {
            if (error == NONE) {
                shard.drop(group);
            } else if (error != NOT_COORDINATOR) {
                group.become(EMPTY, group.stateSince());
            }
            then.accept(error);
        });
    }

    private void forget(Group group, Collection<TopicPartition> partitions, Consumer<ErrorCode> then) {
        List<TopicPartition> known = partitions.stream()
                .filter(p ->
                        group.offsets().containsKey(p) || group.committing().contains(p))
                .toList();
        writeAll(offsetTombstones(group, known), error -> {
            then.accept(error);
            shard.dropIfVoid(group);
        });
    }

    private static List<OffsetsRecord> offsetTombstones(Group group, Collection<TopicPartition> partitions) {
        List<OffsetsRecord> tombstones = new ArrayList<>(partitions.size() + 1);
        partitions.forEach(partition -> tombstones.add(new OffsetStored(group.id(), partition, null)));
        return tombstones;
    }

    /**
     * Writes the records in several batches. All batches are appended before this method returns, so that a later commit
     * comes after them in the log. {@code then} gets NONE or the first error, when the last write ends.
     */
    private void writeAll(List<OffsetsRecord> records, Consumer<ErrorCode> then) {
        List<ErrorCode> errors = new ArrayList<>();
        for (int from = 0; from < records.size(); from += GroupLimits.TOMBSTONES_PER_BATCH) {
            int to = Math.min(records.size(), from + GroupLimits.TOMBSTONES_PER_BATCH);
            shard.write(records.subList(from, to), error -> {
                if (error != NONE) {
                    errors.add(error);
                }
                if (to == records.size()) {
                    then.accept(errors.isEmpty() ? NONE : errors.get(0));
                }
            });
        }
        if (records.isEmpty()) {
            then.accept(NONE);
        }
    }

    // ---- expiry

    void expireRegularly() {
        long interval = shard.configs().broker().getLong(BrokerConfig.OFFSETS_RETENTION_CHECK_INTERVAL_MS);
        shard.timers().in(interval, () -> {
            try {
                expire();
            } finally {
                expireRegularly();
            }
        });
    }

    void expire() {
        BrokerConfig broker = shard.configs().broker();
        long retention = TimeUnit.MINUTES.toMillis(broker.getInt(BrokerConfig.OFFSETS_RETENTION_MINUTES));
        long settled = broker.getLong(BrokerConfig.OFFSETS_RETENTION_CHECK_INTERVAL_MS);
        for (Group group : List.copyOf(shard.groups())) {
            Set<TopicPartition> expired = expired(group, retention);
            expired.addAll(orphans(group, settled));
            expired.removeAll(group.committing());
            boolean ends = group.is(EMPTY)
                    && group.pendingCount() == 0
                    && group.committing().isEmpty()
                    && expired.size() == group.offsets().size();
            if (ends) {
                deleteEmpty(group, error -> expired(group, expired.size(), error));
            } else if (!expired.isEmpty()) {
                forget(group, expired, error -> expired(group, expired.size(), error));
            }
        }
    }

    private void expired(Group group, int count, ErrorCode error) {
        if (error == NONE) {
            counters.expiredOffsets.add(count);
            LOG.debug("{} offsets of group {} were removed", count, group.id());
        } else if (error != NOT_COORDINATOR) {
            LOG.warn(
                    "{} offsets of group {} are to be removed, but the tombstones were not written ({}): the next check"
                            + " tries again",
                    count,
                    group.id(),
                    error);
        }
    }

    private Set<TopicPartition> expired(Group group, long retention) {
        if (group.protocolType() == null) {
            return group.is(EMPTY) ? since(group, StoredOffset::committedAt, retention, Set.of()) : new HashSet<>();
        }
        if (group.is(EMPTY)) {
            ToLongFunction<StoredOffset> emptySince =
                    offset -> group.stateSince() < 0 ? offset.committedAt() : group.stateSince();
            return since(group, emptySince, retention, Set.of());
        }
        if (group.is(STABLE) && group.isConsumerGroup()) {
            return group.subscribedTopics()
                    .map(topics -> since(group, StoredOffset::committedAt, retention, topics))
                    .orElseGet(HashSet::new);
        }
        return new HashSet<>();
    }

    private Set<TopicPartition> since(
            Group group, ToLongFunction<StoredOffset> base, long retention, Set<String> spared) {
        long now = shard.time().calendarMs();
        Set<TopicPartition> expired = new HashSet<>();
        group.offsets().forEach((partition, offset) -> {
            boolean old = offset.expireAt() == StoredOffset.BY_RETENTION
                    ? now - base.applyAsLong(offset) >= retention
                    : now >= offset.expireAt();
            if (old && !spared.contains(partition.topic())) {
                expired.add(partition);
            }
        });
        return expired;
    }

    /**
     * Offsets of topics that do not exist: a topic may have been deleted while no coordinator was running. An offset that
     * was committed less than {@code settledMs} ago stays, because its topic may be too new to be in this broker's view.
     */
    private Set<TopicPartition> orphans(Group group, long settledMs) {
        ClusterView view = metadata.view();
        long now = shard.time().calendarMs();
        Set<TopicPartition> orphans = new HashSet<>();
        group.offsets().forEach((partition, offset) -> {
            if (view.topic(partition.topic()).isEmpty() && now - offset.committedAt() > settledMs) {
                orphans.add(partition);
            }
        });
        return orphans;
    }

    /** Removes the offsets of deleted topics. A shard that is still loading removes them at its first expiry check. */
    void forgetTopics(Set<String> topics) {
        if (!shard.isActive()) {
            return;
        }
        for (Group group : List.copyOf(shard.groups())) {
            Set<TopicPartition> gone = new HashSet<>(group.offsets().keySet());
            gone.addAll(group.committing());
            gone.removeIf(partition -> !topics.contains(partition.topic()));
            if (!gone.isEmpty() && !group.is(DEAD)) {
                forget(group, gone, error -> expired(group, gone.size(), error));
            }
        }
    }
}
