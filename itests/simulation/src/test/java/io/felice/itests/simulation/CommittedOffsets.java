package io.felice.itests.simulation;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.group.Groups;
import io.felice.api.group.Groups.FetchedOffsets;
import io.felice.coordinator.CoordinatorSeat;
import io.felice.itests.simulation.SimulatedDisk.StoredBatch;
import io.felice.itests.simulation.SimulatedDisk.StoredLog;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** The offsets of all groups, as a replay of the committed records gives them. */
final class CommittedOffsets {
    private record Commit(String group, TopicPartition partition, long offset) {}

    private final Map<String, Map<TopicPartition, Long>> offsets = new HashMap<>();
    private final Set<Commit> commits = new HashSet<>();
    private int applied;

    /** Replays what was committed since. */
    void follow(Committed log) {
        List<StoredBatch> batches = log.batches();
        for (; applied < batches.size(); applied++) {
            CoordinatorSeat.read(batches.get(applied).bytes(), (group, partition, offset) -> {
                Map<TopicPartition, Long> of = offsets.computeIfAbsent(group, name -> new HashMap<>());
                if (offset < 0) {
                    of.remove(partition);
                } else {
                    of.put(partition, offset);
                    commits.add(new Commit(group, partition, offset));
                }
            });
        }
    }

    boolean had(String group, TopicPartition partition, long offset) {
        return commits.contains(new Commit(group, partition, offset));
    }

    void mustHaveHad(String group, TopicPartition partition, long offset) {
        if (!had(group, partition, offset)) {
            throw new Violation("Group " + group + " was told that offset " + offset + " of " + partition
                    + " is committed, which is not in the log");
        }
    }

    /** A compacted log gives the same offsets as all that was committed. */
    static void compare(String who, Committed all, StoredLog log, long highWatermark) {
        long end = Math.min(Math.min(all.end(), log.end()), highWatermark);
        Map<String, Map<TopicPartition, Long>> expected = replay(all.batches(), end);
        Map<String, Map<TopicPartition, Long>> found = replay(log.batches(), end);
        if (!found.equals(expected)) {
            throw new Violation(who + " has compacted its log of groups' offsets; below " + end + " it gives " + found
                    + ", and committed was " + expected);
        }
    }

    private static Map<String, Map<TopicPartition, Long>> replay(List<StoredBatch> batches, long end) {
        Map<String, Map<TopicPartition, Long>> replayed = new HashMap<>();
        for (StoredBatch batch : batches) {
            if (batch.next() <= end) {
                CoordinatorSeat.read(batch.bytes(), (group, partition, offset) -> replayed.computeIfAbsent(
                                group, name -> new HashMap<>())
                        .put(partition, offset));
            }
        }
        return replayed;
    }

    /**
     * The coordinator that leads now serves the group with what is committed, or does not serve it.
     *
     * @param committedTo the end of what is committed
     */
    void compare(String who, String group, Groups groups, long highWatermark, long committedTo) {
        CompletableFuture<FetchedOffsets> answer =
                groups.fetchOffsets(group, Optional.empty(), false).toCompletableFuture();
        if (!answer.isDone() || answer.join().error() != ErrorCode.NONE) {
            return;
        }
        if (highWatermark < committedTo) {
            throw new Violation(who + " serves group " + group + " while its high watermark " + highWatermark
                    + " is below " + committedTo + ", which is committed");
        }
        Map<TopicPartition, Long> live = new HashMap<>();
        answer.join().offsets().forEach((partition, offset) -> live.put(partition, offset.offset()));
        Map<TopicPartition, Long> replayed = offsets.getOrDefault(group, Map.of());
        if (!live.equals(replayed)) {
            throw new Violation(who + " has the offsets " + live + " of group " + group
                    + ", but a replay of the committed records gives " + replayed);
        }
    }
}
