package io.felice.cluster.zookeeper;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.MetadataText;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends to the metadata log for one term. One multi checks the controller epoch, sets {@code /log} at the expected
 * length, and creates the batch. One batch is in flight at a time; changes that come meanwhile go into the next batch.
 *
 * <p>If the connection is lost before the answer, the writer reads the log before it appends again. If the batch is not
 * in the log and its place is free, the writer writes it again under the same id; that can succeed only once.
 *
 * <p>The multi with a change after which a broker is gone deletes the broker's znodes too, if its process has certainly ended
 * ({@link Death}). Runs on the event thread, except {@link #append} and {@link #snapshot}.
 */
final class MetadataLogWriter implements ClusterStore.Term {
    /** Well below ZooKeeper's limit of 1 MB, because requests and answers hold more than the batch. */
    static final int MAX_BATCH_BYTES = 512 * 1024;

    private static final Logger log = LoggerFactory.getLogger(MetadataLogWriter.class);
    private static final String LAST_EPOCH = "last/1 epoch=";
    private static final long MAX_LENGTH = Integer.MAX_VALUE;
    private static final int OPERATIONS_OF_AN_APPEND = 3;

    /** Numbers for the status table. */
    static final class Counters {
        final LongAdder changes = new LongAdder();
        final LongAdder batches = new LongAdder();
        final LongAdder bytes = new LongAdder();
        final LongAdder readbacks = new LongAdder();
        final LongAdder snapshots = new LongAdder();
    }

    private final Paths paths;
    private final EventThread events;
    private final Counters counters;
    private final int epoch;
    private final long logLength;
    private final Runnable onDeposed;
    private final Deque<Change> queue = new ArrayDeque<>();
    private final SnapshotWriter snapshots;
    /** By the epochs of their brokers. */
    private final Map<Long, Death> deaths = new HashMap<>();

    private ZooKeeperClient client;
    private long length;
    private long batchesBegun;
    private Flight flight;
    private boolean over;

    MetadataLogWriter(
            Paths paths,
            ZooKeeperClient client,
            EventThread events,
            Counters counters,
            int epoch,
            long logLength,
            Runnable onDeposed) {
        this.paths = paths;
        this.client = client;
        this.events = events;
        this.counters = counters;
        this.epoch = epoch;
        this.logLength = logLength;
        this.length = logLength;
        this.onDeposed = onDeposed;
        this.snapshots = new SnapshotWriter(paths, client, counters, epoch, this::depose);
    }

    /**
     * One change, encoded as lines. {@code done} completes with its version when it is in the log.
     *
     * @param gone the epochs of the brokers that are gone after the change
     */
    private record Change(List<String> lines, int bytes, Set<Long> gone, CompletableFuture<Long> done) {}

    /**
     * The batch in flight, with the parts that are not known to be in the log. If {@code unknown} is true, nobody knows
     * whether the first of them is.
     */
    private static final class Flight {
        final Deque<MetadataBatch> parts;
        final List<Change> changes;
        boolean unknown;
        /** Those whose deletions are in the multi. */
        Set<Death> deaths = Set.of();

        Flight(Deque<MetadataBatch> parts, List<Change> changes) {
            this.parts = parts;
            this.changes = changes;
        }
    }

    @Override
    public int epoch() {
        return epoch;
    }

    @Override
    public long logLength() {
        return logLength;
    }

    @Override
    public CompletionStage<Long> append(List<MetadataRecord> records) {
        List<String> lines = new ArrayList<>(records.size());
        Set<Long> gone = new HashSet<>();
        int bytes = 0;
        for (MetadataRecord record : records) {
            if (record instanceof MetadataRecord.BrokerGone broker) {
                gone.add(broker.epoch());
            }
            String line = MetadataText.encode(record);
            lines.add(line);
            bytes += line.length() + 1;
        }
        Change change = new Change(lines, bytes, gone, new CompletableFuture<>());
        boolean offered = events.offer(() -> {
            if (over) {
                change.done().completeExceptionally(notController());
            } else {
                queue.add(change);
                pump();
            }
        });
        if (!offered) {
            change.done().completeExceptionally(notController());
        }
        return change.done();
    }

    @Override
    public CompletionStage<Void> snapshot(long version, List<MetadataRecord> state) {
        List<byte[]> chunks = SnapshotWriter.chunks(state);
        CompletableFuture<Void> done = new CompletableFuture<>();
        boolean offered = events.offer(() -> {
            if (over) {
                done.completeExceptionally(notController());
            } else {
                snapshots.write(version, chunks, done);
            }
        });
        if (!offered) {
            done.completeExceptionally(notController());
        }
        return done;
    }

    /** The znodes of this process are deleted with the change after which its broker is gone. */
    void bury(Death broker) {
        broker.brokerEpochs().forEach(brokerEpoch -> deaths.put(brokerEpoch, broker));
    }

    /**
     * Called when there is a connection again, perhaps in a new session. Finds out whether the batch in flight is in
     * the log.
     */
    void connected(ZooKeeperClient now) {
        if (flight != null && client != now) {
            flight.unknown = true;
        }
        client = now;
        if (flight != null && flight.unknown) {
            resolve();
        }
        if (!over) {
            snapshots.goOn(now);
        }
    }

    void tick() {
        if (!over) {
            snapshots.goOn(client);
        }
    }

    boolean isOpen() {
        return flight != null;
    }

    /** Ends the term. The batch in flight still gets its answer. All other changes fail; they are not in the log. */
    void end() {
        if (over) {
            return;
        }
        over = true;
        snapshots.end(notController());
        List<Change> dropped = List.copyOf(queue);
        queue.clear();
        dropped.forEach(change -> change.done().completeExceptionally(notController()));
    }

    /** Called when the store closes. The batch in flight fails, and it stays unknown whether it is in the log. */
    void abandon() {
        end();
        if (flight != null) {
            fail(ErrorCode.REQUEST_TIMED_OUT.because(
                    "The connection to ZooKeeper ended before ZooKeeper answered, so it is unknown whether the change"
                            + " is in the metadata log."));
        }
    }

    private void depose() {
        end();
        onDeposed.run();
    }

    private void pump() {
        if (flight != null || over || queue.isEmpty()) {
            return;
        }
        List<Change> changes = new ArrayList<>();
        int bytes = 0;
        do {
            Change change = queue.poll();
            bytes += change.bytes();
            changes.add(change);
        } while (!queue.isEmpty() && bytes + queue.peek().bytes() <= MAX_BATCH_BYTES);
        flight = new Flight(parts(changes), changes);
        write();
    }

    private Deque<MetadataBatch> parts(List<Change> changes) {
        List<List<String>> parts = new ArrayList<>();
        List<String> part = new ArrayList<>();
        int bytes = 0;
        for (Change change : changes) {
            for (String line : change.lines()) {
                if (bytes + line.length() > MAX_BATCH_BYTES && !part.isEmpty()) {
                    parts.add(part);
                    part = new ArrayList<>();
                    bytes = 0;
                }
                part.add(line);
                bytes += line.length() + 1;
            }
        }
        parts.add(part);
        String id = String.format(
                Locale.ROOT,
                "%x%08x",
                ++batchesBegun,
                ThreadLocalRandom.current().nextInt());
        Deque<MetadataBatch> batches = new ArrayDeque<>();
        for (List<String> lines : parts) {
            batches.add(new MetadataBatch(epoch, id, batches.size() + 1, parts.size(), lines));
        }
        return batches;
    }

    private void write() {
        MetadataBatch batch = flight.parts.peek();
        long n = length + 1;
        if (n > MAX_LENGTH) {
            log.error(
                    "The metadata log has reached its greatest length, {}; topics, configs and leaders cannot change"
                            + " any more",
                    length);
            fail(ErrorCode.COORDINATOR_NOT_AVAILABLE.because("The metadata log is full."));
            return;
        }
        byte[] bytes = batch.bytes();
        byte[] writer = lastWriter(batch).getBytes(StandardCharsets.UTF_8);
        List<Op> append = new ArrayList<>(List.of(
                Op.check(paths.controllerEpoch(), epoch),
                Op.setData(paths.log(), writer, (int) length),
                ZooKeeperClient.create(paths.log(n), bytes, CreateMode.PERSISTENT)));
        flight.deaths = batch.isLastPart() ? deathsIn(flight) : Set.of();
        flight.deaths.forEach(death -> append.addAll(death.deletions()));
        flight.unknown = false;
        counters.bytes.add(bytes.length);
        client.multi(append, this::answered);
    }

    private Set<Death> deathsIn(Flight batch) {
        Set<Death> found = new HashSet<>();
        for (Change change : batch.changes) {
            for (long brokerEpoch : change.gone()) {
                if (deaths.containsKey(brokerEpoch)) {
                    found.add(deaths.get(brokerEpoch));
                }
            }
        }
        return found;
    }

    private void settle(Set<Death> settled, Code outcome) {
        for (Death death : settled) {
            death.brokerEpochs().forEach(deaths::remove);
            death.outcome().accept(outcome);
        }
    }

    private String lastWriter(MetadataBatch batch) {
        return LAST_EPOCH + epoch + " id=" + batch.id();
    }

    /** The epoch of the last writer according to the data of {@code /log}; 0 if nobody has written. */
    static int lastEpoch(String dataOfLog) {
        return dataOfLog.startsWith(LAST_EPOCH)
                ? Integer.parseInt(dataOfLog.substring(LAST_EPOCH.length()).split(" ")[0])
                : 0;
    }

    private void answered(Code code, Integer failed) {
        if (flight == null) {
            return;
        }
        if (code == Code.OK) {
            written();
        } else if (ZooKeeperClient.isUnknown(code)) {
            flight.unknown = true;
        } else if (failed >= OPERATIONS_OF_AN_APPEND) {
            writeWithout(flight.deaths, code);
        } else if (failed > 0) {
            // The log has another length: an earlier attempt to write this batch has succeeded, or another controller
            // has written.
            resolve();
        } else {
            if (failed != 0 && code != Code.SESSIONEXPIRED) {
                log.error("ZooKeeper refuses to append to the metadata log: {}", code);
            }
            notWritten();
        }
    }

    /** A session that was to be deleted with this batch has ended, or has changed its znodes. */
    private void writeWithout(Set<Death> refused, Code why) {
        settle(refused, why);
        if (over) {
            fail(notController());
        } else {
            write();
        }
    }

    private void written() {
        settle(flight.deaths, Code.OK);
        length++;
        counters.batches.increment();
        MetadataBatch batch = flight.parts.poll();
        if (!batch.isLastPart() && !over) {
            write();
            return;
        }
        if (!batch.isLastPart()) {
            fail(notController());
            return;
        }
        List<Change> done = flight.changes;
        flight = null;
        counters.changes.add(done.size());
        long version = length;
        done.forEach(change -> change.done().complete(version));
        pump();
    }

    /** Reads the batch at the place of the batch in flight. The client has synced since the connection was lost. */
    private void resolve() {
        counters.readbacks.increment();
        Flight resolved = flight;
        ZooKeeperClient asked = client;
        asked.get(paths.log(length + 1), null, (code, node) -> {
            if (flight != resolved || asked != client) {
                return;
            }
            if (code == Code.OK) {
                if (isInFlight(node.data())) {
                    written();
                } else {
                    notWritten();
                }
            } else if (code == Code.NONODE) {
                notThere();
            } else {
                flight.unknown = true;
            }
        });
    }

    private boolean isInFlight(byte[] data) {
        try {
            return MetadataBatch.of(data).isSameAs(flight.parts.peek());
        } catch (FeliceException fromAnotherVersion) {
            return false;
        }
    }

    /** Called when the batch is not in the log. Writes it again if its place is free and the term goes on. */
    private void notThere() {
        Flight resolved = flight;
        ZooKeeperClient asked = client;
        asked.get(paths.log(), null, (code, node) -> {
            if (flight != resolved || asked != client) {
                return;
            }
            if (code != Code.OK) {
                flight.unknown = true;
            } else if (node.stat().getVersion() > length) {
                fail(ErrorCode.REQUEST_TIMED_OUT.because(
                        "The change may or may not be in the metadata log: the batch at its place is deleted"
                                + " already."));
                depose();
            } else if (node.stat().getVersion() < length) {
                log.error(
                        "The metadata log has {} entries, but ZooKeeper has confirmed {}: the ensemble has lost data."
                                + " The term of this controller ends",
                        node.stat().getVersion(),
                        length);
                notWritten();
            } else if (over) {
                fail(notController());
            } else {
                write();
            }
        });
    }

    private void notWritten() {
        fail(notController());
        depose();
    }

    private void fail(FeliceException failure) {
        List<Change> failed = flight.changes;
        flight = null;
        failed.forEach(change -> change.done().completeExceptionally(failure));
    }

    private FeliceException notController() {
        return ErrorCode.NOT_CONTROLLER.because("The term of controller epoch " + epoch + " is over.");
    }
}
