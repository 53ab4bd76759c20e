package io.felice.broker;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.PartitionState;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import io.felice.broker.partition.InSyncReplicas.Follower;
import io.felice.broker.partition.LeaderPartition;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * How far the replicas are that reassignments add to the partitions that this node leads: what they have still to copy, how
 * fast they copy, and how long that takes. {@link #tick} is called by one thread; any thread may ask for the table.
 */
final class ReassignmentProgress {
    private static final TableSchema TABLE = TableSchema.of(
                    "broker.reassignments",
                    "The replicas that reassignments add to partitions that this node leads; the most to copy first")
            .label("partition", "The partition")
            .label("adding", "The broker that gets the replica")
            .gauge("left.records", "Records that it does not have yet")
            .gauge("left.bytes", Unit.BYTES, "About how many bytes that are")
            .gauge("rate.bytes", Unit.BYTES, "What it copies in a second, by the last ten seconds")
            .gauge("left.ms", Unit.MILLISECONDS, "How long that takes at this rate; -1 while nothing is copied");
    private static final int MOST_ROWS = 200;
    /** The rate is that of about this time. */
    private static final long WINDOW_NANOS = 10_000_000_000L;

    private final LongSupplier nanos;
    private volatile Map<Added, Progress> known = Map.of();

    private record Added(TopicPartition partition, int broker) {}

    /**
     * Two looks at a replica, which give its rate, and the last one.
     *
     * @param copiedThen the bytes of the log that the replica had at {@code then}
     */
    private record Progress(long then, long copiedThen, long now, long copied, long leftRecords, long leftBytes) {
        /** Bytes in a second. */
        long rate() {
            return now == then ? 0 : (long) (Math.max(0, copied - copiedThen) * 1e9 / (now - then));
        }

        long leftMs() {
            return leftRecords == 0 ? 0 : rate() == 0 ? -1 : leftBytes * 1_000 / rate();
        }

        /** The window is forgotten by halves, so that a rate is never that of one look. */
        Progress next(long at, long copiedNow, long records, long bytes) {
            boolean isLong = now - then > WINDOW_NANOS;
            return new Progress(
                    isLong ? then + (now - then) / 2 : then,
                    isLong ? copiedThen + (copied - copiedThen) / 2 : copiedThen,
                    at,
                    copiedNow,
                    records,
                    bytes);
        }
    }

    ReassignmentProgress(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /** About every second. */
    void tick(Collection<LeaderPartition> leaders) {
        Map<Added, Progress> next = new HashMap<>();
        for (LeaderPartition leader : leaders) {
            PartitionState state = leader.inSync().state();
            for (int broker : state.adding()) {
                leader.inSync().follower(broker).ifPresent(follower -> look(leader, follower, next));
            }
        }
        known = next;
    }

    private void look(LeaderPartition leader, Follower follower, Map<Added, Progress> next) {
        Added replica = new Added(leader.id(), follower.broker());
        long end = Math.max(follower.end(), leader.logStartOffset());
        long leftBytes = leader.log().bytesFrom(end);
        long leftRecords = Math.max(0, leader.logEndOffset() - end);
        long copied = leader.sizeInBytes() - leftBytes;
        long now = nanos.getAsLong();
        Progress before = known.get(replica);
        next.put(
                replica,
                before == null
                        ? new Progress(now, copied, now, copied, leftRecords, leftBytes)
                        : before.next(now, copied, leftRecords, leftBytes));
    }

    StatusTable table() {
        List<List<Object>> rows = new ArrayList<>();
        known.entrySet().stream()
                .sorted(Comparator.comparingLong((Map.Entry<Added, Progress> one) ->
                                one.getValue().leftBytes())
                        .reversed())
                .limit(MOST_ROWS)
                .forEach(one -> rows.add(List.of(
                        one.getKey().partition().toString(),
                        Integer.toString(one.getKey().broker()),
                        one.getValue().leftRecords(),
                        one.getValue().leftBytes(),
                        one.getValue().rate(),
                        one.getValue().leftMs())));
        return TABLE.rows(rows);
    }
}
