package io.felice.itests.simulation;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.PartitionState;
import io.felice.broker.BrokerSeat.OpenReplica;
import io.felice.broker.partition.FollowerPartition;
import io.felice.broker.partition.LeaderPartition;
import io.felice.broker.partition.Role;
import io.felice.itests.simulation.SimulatedDisk.StoredBatch;
import io.felice.itests.simulation.SimulatedDisk.StoredLog;
import io.felice.itests.simulation.Timeline.Life;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;

/**
 * What is committed in one partition: what any replica has had below its high watermark. All replicas must have the same
 * there, for ever. No log of a simulation is trimmed, so that equal batches have equal positions.
 *
 * <p>An unclean election, which the metadata log declares, may take committed records away: then the log of the new
 * leader is what is committed, and replicas that are not in sync are not compared.
 */
final class Committed {
    private final TopicPartition partition;
    private boolean mayBeUnclean;
    private final List<StoredBatch> batches = new ArrayList<>();
    private final Map<Integer, Integer> leadersByEpoch = new HashMap<>();
    private final Map<Life, long[]> highWatermarks = new HashMap<>();
    private final Map<Long, StoredBatch> acknowledged = new HashMap<>();
    /** The epoch of the last unclean election; replicas of earlier epochs are not compared. */
    private int cleanSince = -1;

    private boolean awaitsUncleanLeader;
    private long lostByUnclean;
    /** Below it replicas may have removed records that have a later one of their key. */
    private long compactedTo;

    Committed(TopicPartition partition, boolean mayBeUnclean) {
        this.partition = partition;
        this.mayBeUnclean = mayBeUnclean;
    }

    /** All replicas have lost records that the rules do not protect. */
    void mayBecomeUnclean() {
        mayBeUnclean = true;
    }

    long end() {
        return batches.isEmpty() ? 0 : batches.get(batches.size() - 1).next();
    }

    List<StoredBatch> batches() {
        return batches;
    }

    boolean wasUnclean() {
        return cleanSince >= 0;
    }

    long acknowledged() {
        return acknowledged.size() + lostByUnclean;
    }

    /** The controller has changed the partition. */
    void changed(PartitionState before, PartitionState after) {
        boolean isUnclean = after.recovering()
                && after.hasLeader()
                && (before == null || after.leaderEpoch() > before.leaderEpoch());
        if (!isUnclean) {
            return;
        }
        if (!mayBeUnclean) {
            throw new Violation(
                    partition + " got an unclean leader, although records were left: " + before + " became " + after);
        }
        cleanSince = after.leaderEpoch();
        awaitsUncleanLeader = true;
    }

    /** True if all that is committed is in this log. */
    boolean isWhole(StoredLog log) {
        if (log == null || log.end() < end()) {
            return false;
        }
        for (int i = log.compared; i < batches.size(); i++) {
            if (!has(log, batches.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** True if the log has the batch, or what compaction may have left of it. */
    private boolean has(StoredLog log, StoredBatch committed) {
        int at = log.indexOf(committed.base());
        StoredBatch here = at < log.batches().size() ? log.batches().get(at) : null;
        boolean isCompacted = committed.next() <= compactedTo;
        if (here == null || here.base() >= committed.next()) {
            return isCompacted && log.end() >= committed.next();
        }
        return here.isSameAs(committed)
                || isCompacted
                        && here.base() >= committed.base()
                        && here.next() <= committed.next()
                        && here.epoch() == committed.epoch();
    }

    /** A replica has compacted its log up to there. */
    void compacted(long to) {
        compactedTo = Math.max(compactedTo, to);
    }

    long compactedTo() {
        return compactedTo;
    }

    // ---- at every step

    /** Notes what a replica has committed, and compares it with what others have. */
    void look(int broker, Life life, OpenReplica replica, StoredLog log, PartitionState now) {
        Role role = replica.role();
        int epoch = epochOf(role);
        if (log == null || epoch < 0) {
            return;
        }
        if (role instanceof LeaderPartition leader && leader.isLeading()) {
            lookAtLeader(broker, life, leader, replica, log, now);
        }
        boolean counts = epoch >= cleanSince
                && !awaitsUncleanLeader
                && (cleanSince < 0 || now.isr().contains(broker) && epoch == now.leaderEpoch());
        if (!counts) {
            return;
        }
        long committed = Math.min(replica.highWatermark(), log.end());
        compare(broker, log, committed);
        extend(log, committed);
    }

    private static int epochOf(Role role) {
        if (role instanceof LeaderPartition leader) {
            return leader.leaderEpoch();
        }
        return role instanceof FollowerPartition follower ? follower.leaderEpoch() : -1;
    }

    private void lookAtLeader(
            int broker, Life life, LeaderPartition leader, OpenReplica replica, StoredLog log, PartitionState now) {
        int epoch = leader.leaderEpoch();
        Integer other = leadersByEpoch.putIfAbsent(epoch, broker);
        if (other != null && other != broker) {
            throw new Violation(
                    "Brokers " + other + " and " + broker + " both lead " + partition + " in epoch " + epoch);
        }
        long[] last = highWatermarks.computeIfAbsent(life, key -> new long[] {-1, -1});
        if (last[0] == epoch && replica.highWatermark() < last[1]) {
            throw new Violation("The high watermark of " + partition + " on its leader " + broker
                    + " went back in epoch " + epoch + ", from " + last[1] + " to " + replica.highWatermark());
        }
        last[0] = epoch;
        last[1] = replica.highWatermark();
        boolean isPresent = epoch == now.leaderEpoch() && broker == now.leader();
        if (isPresent && awaitsUncleanLeader && epoch == cleanSince) {
            beginAnew(log);
        }
        if (isPresent && !awaitsUncleanLeader) {
            compare(broker, log, end());
            if (log.end() < end()) {
                throw new Violation("The leader " + broker + " of " + partition + " in epoch " + epoch + " ends at "
                        + log.end() + ", but records below " + end() + " were committed");
            }
        }
    }

    /** The unclean leader decides what is left. */
    private void beginAnew(StoredLog log) {
        awaitsUncleanLeader = false;
        int same = 0;
        while (same < batches.size() && has(log, batches.get(same))) {
            same++;
        }
        while (batches.size() > same) {
            StoredBatch gone = batches.remove(batches.size() - 1);
            if (acknowledged.remove(gone.base()) != null) {
                lostByUnclean++;
            }
        }
    }

    private void compare(int broker, StoredLog log, long upTo) {
        int i = Math.min(log.compared, batches.size());
        while (i < batches.size() && batches.get(i).next() <= upTo) {
            StoredBatch committed = batches.get(i);
            if (!has(log, committed)) {
                int at = log.indexOf(committed.base());
                StoredBatch here = at < log.batches().size() ? log.batches().get(at) : null;
                throw new Violation("Broker " + broker + " has " + here + " in " + partition + ", but " + committed
                        + " was committed; its log ends at " + log.end());
            }
            i++;
        }
        log.compared = i;
        log.comparedTo = i == 0 ? 0 : batches.get(i - 1).next();
    }

    /** All below {@link #end} is in this log as it was committed: it was compared before, or is as far as it goes. */
    private void extend(StoredLog log, long upTo) {
        for (int i = log.indexOf(end());
                i < log.batches().size() && log.batches().get(i).next() <= upTo;
                i++) {
            batches.add(log.batches().get(i));
            log.compared = batches.size();
            log.comparedTo = end();
        }
    }

    /** No high watermark is above what the in-sync replicas of its leader keep. */
    void mustBeBelow(int leader, long highWatermark, int replica, long kept) {
        if (highWatermark > kept) {
            throw new Violation(
                    "The high watermark of " + partition + " on its leader " + leader + " is " + highWatermark
                            + ", but broker " + replica + ", which is in sync, keeps only the records below " + kept);
        }
    }

    // ---- clients

    boolean reaches(long offset) {
        return end() > offset;
    }

    /** All in-sync replicas have settled the records up to the batch at {@code base}. */
    void settledByAll(StoredLog log, long base) {
        log.batches().stream()
                .filter(batch -> batch.base() <= base && batch.next() > base)
                .findFirst()
                .ifPresent(batch -> extend(log, batch.next()));
    }

    /** A producer with acks=all was told that its batch is kept. */
    void acknowledged(long base, long crc, int leaderEpoch, String what) {
        if (leaderEpoch < cleanSince || awaitsUncleanLeader) {
            return;
        }
        StoredBatch found = at(base);
        if (found == null || found.crc() != crc) {
            throw new Violation(what + " was acknowledged at offset " + base + " of " + partition
                    + ", but committed there is " + found + "; committed is all below " + end());
        }
        acknowledged.put(base, found);
    }

    /** Null if no committed batch begins there. */
    StoredBatch at(long base) {
        int low = 0;
        int high = batches.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            long here = batches.get(middle).base();
            if (here == base) {
                return batches.get(middle);
            }
            if (here < base) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return null;
    }

    /** A consumer has read this batch. */
    void read(StoredBatch batch, int leaderEpoch) {
        if (leaderEpoch < cleanSince || awaitsUncleanLeader) {
            return;
        }
        StoredBatch found = at(batch.base());
        if (found == null && wasUnclean()) {
            return; // what a deposed leader commits is not followed any more
        }
        if (found == null || !found.isSameAs(batch)) {
            throw new Violation("A consumer has read " + batch + " in " + partition + ", but committed is " + found);
        }
    }

    /**
     * Each producer's batches are there once and in their order.
     *
     * @param isWhole true for a producer none of whose batches may be missing
     */
    void checkSequences(LongPredicate isWhole) {
        if (wasUnclean()) {
            return;
        }
        Map<Long, Integer> next = new HashMap<>();
        for (StoredBatch batch : batches) {
            if (batch.producerId() >= 0) {
                int first = isWhole.test(batch.producerId()) ? 0 : batch.sequence();
                int expected = next.getOrDefault(batch.producerId(), first);
                if (batch.sequence() != expected) {
                    throw new Violation("Producer " + batch.producerId() + " has sequence " + batch.sequence() + " in "
                            + partition + " where " + expected + " should be: " + batch);
                }
                next.put(batch.producerId(), expected + (int) (batch.next() - batch.base()));
            }
        }
    }
}
