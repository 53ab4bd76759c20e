package io.felice.broker.partition;

import static io.felice.api.ErrorCode.CORRUPT_MESSAGE;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static io.felice.api.ErrorCode.OFFSET_OUT_OF_RANGE;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Segment;
import io.felice.broker.partition.Damages.Damage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a log from its start to its end, once in every interval, and looks for damage: bytes that changed on the disk, or
 * that the disk does not give any more. What it finds is logged once, shown, and kept from readers ({@link Damages}). A
 * pass that was interrupted by a restart goes on where it was.
 *
 * <p>A pass ends before the active segment, unless nobody has appended since the pass before it.
 *
 * <p>Threads: {@link #step} blocks; one call at a time, on the engine's threads. The rest is for any thread.
 */
public final class Scrub {
    private static final Logger LOG = LoggerFactory.getLogger(Scrub.class);
    private static final long NANOS_PER_MS = 1_000_000;
    private static final long SAVE_INTERVAL_MS = 60_000;

    private final OpenedLog opened;
    private final PartitionLog log;
    private final PartitionFiles files;
    private final Environment environment;
    private final Damages damages;
    /** A log that was never read is read for the first time after this part of the interval. */
    private final double firstPart;

    private volatile boolean wasBegun;
    /** When the last pass began, or the log was opened, in nanoseconds of the monotonic clock. */
    private volatile long begunAt;

    private volatile long passes;

    // Used by the step only, and by the constructor.
    private long begunAtMs;
    private boolean isUnderWay;
    private long readTo;
    private long passTo;
    private long endAtLastPass = -1;
    private long savedAtMs;

    Scrub(OpenedLog opened, PartitionLog log, PartitionFiles files, Environment environment) {
        this.opened = opened;
        this.log = log;
        this.files = files;
        this.environment = environment;
        this.damages = new Damages(opened.partition());
        this.firstPart = environment.random().nextDouble();
        this.begunAt = environment.nanos().getAsLong();
        files.scrub().ifPresent(this::resume);
    }

    private void resume(PartitionFiles.ScrubState before) {
        begunAtMs = before.begunAtMs();
        long ageMs = Math.max(0, environment.clock().millis() - begunAtMs);
        begunAt -= Math.min(ageMs, Long.MAX_VALUE / 4 / NANOS_PER_MS) * NANOS_PER_MS;
        wasBegun = true;
        readTo = before.readTo();
        passTo = Math.min(before.passTo(), log.endOffset());
        isUnderWay = readTo < passTo;
        damages.load(before.damages());
        damages.truncatedTo(log.endOffset());
        damages.trimmedTo(log.startOffset());
        damages.all().forEach(damage -> LOG.warn("{} is damaged, as found before: {}", opened.partition(), damage));
    }

    public Damages damages() {
        return damages;
    }

    /** Passes that have ended since the log was opened. */
    public long passes() {
        return passes;
    }

    /** For how long this log has been waiting to be read, in milliseconds; negative if its time has not come. */
    public long overdueMs(long intervalMs) {
        long wait = wasBegun ? intervalMs : (long) (intervalMs * firstPart);
        return (environment.nanos().getAsLong() - begunAt) / NANOS_PER_MS - wait;
    }

    /**
     * Begins a pass, or goes on with the one that is under way, and reads one chunk.
     *
     * @param mostBytes how much is read; a larger batch is read as a whole
     * @return how many bytes were read; empty when the pass has ended
     */
    public OptionalLong step(int mostBytes) {
        if (!opened.isOpen()) {
            return OptionalLong.empty();
        }
        if (!isUnderWay) {
            begin();
        }
        long from = Math.max(readTo, log.startOffset());
        if (from >= passTo) {
            end();
            return OptionalLong.empty();
        }
        return OptionalLong.of(read(from, mostBytes));
    }

    /** Ends the pass; the next one comes after the interval. As {@link #step}. */
    public void giveUp() {
        begunAt = environment.nanos().getAsLong();
        wasBegun = true;
        isUnderWay = false;
        readTo = passTo;
    }

    private void begin() {
        List<Segment> segments = log.segments();
        Segment active = segments.get(segments.size() - 1);
        long end = log.settledOffset();
        passTo = end == endAtLastPass ? end : Math.min(end, active.baseOffset());
        endAtLastPass = end;
        readTo = log.startOffset();
        begunAt = environment.nanos().getAsLong();
        begunAtMs = environment.clock().millis();
        wasBegun = true;
        isUnderWay = true;
        save();
    }

    private void end() {
        isUnderWay = false;
        readTo = passTo;
        passes++;
        save();
    }

    /** Reads twice what looks damaged: a read may have met a change of the log, or a fault of the moment. */
    private long read(long from, int mostBytes) {
        int truncations = damages.truncations();
        Chunk chunk = new Chunk(from, mostBytes);
        List<Damage> found = chunk.damages();
        if (!found.isEmpty()) {
            List<Damage> again = new Chunk(from, mostBytes).damages();
            found = found.stream()
                    .filter(damage -> again.stream().anyMatch(other -> other.from() == damage.from()))
                    .toList();
        }
        if (opened.isOpen()) {
            note(from, chunk.next, found, truncations);
        }
        readTo = chunk.next;
        return chunk.bytes;
    }

    private void note(long from, long to, List<Damage> found, int truncations) {
        List<Damage> before = damages.all();
        if (!damages.found(from, to, found, truncations)) {
            return;
        }
        damages.trimmedTo(log.startOffset());
        List<Damage> after = damages.all();
        after.stream()
                .filter(damage ->
                        before.stream().noneMatch(other -> other.from() <= damage.from() && other.to() >= damage.to()))
                .forEach(damage -> LOG.warn(
                        "{} is damaged: {}. Clients that read there get CORRUPT_MESSAGE, and must seek to offset {}",
                        opened.partition(),
                        damage,
                        damage.to()));
        before.stream()
                .filter(damage -> damage.from() >= from && damage.to() <= to)
                .filter(damage -> found.stream().noneMatch(other -> other.from() == damage.from()))
                .forEach(damage -> LOG.info("{} can be read again: {}", opened.partition(), damage));
        if (!before.equals(after) || environment.clock().millis() - savedAtMs >= SAVE_INTERVAL_MS) {
            save();
        }
    }

    void truncatedTo(long end) {
        damages.truncatedTo(end);
    }

    void trimmedTo(long start) {
        damages.trimmedTo(start);
    }

    /** Failing is no harm: the pass begins again, and finds the same. */
    private void save() {
        savedAtMs = environment.clock().millis();
        try {
            files.writeScrub(new PartitionFiles.ScrubState(begunAtMs, readTo, passTo, damages.all()));
        } catch (IOException failure) {
            LOG.debug("How far {} was read is not on disk: {}", opened.partition(), failure.toString());
        }
    }

    /** One reading of the log from an offset on. */
    private final class Chunk {
        private final List<Damage> found = new ArrayList<>();
        private final long from;
        private long bytes;
        /** Where to read on. */
        private long next;

        private String failure;

        Chunk(long from, int mostBytes) {
            this.from = from;
            try {
                if (!readHere(mostBytes) && !readHere(1)) {
                    next = readableFrom(from + 1);
                    add(from, next, failure);
                }
            } catch (FeliceException unreadable) {
                skip(unreadable);
            }
        }

        /**
         * What the engine cannot read for another reason than the bytes is no damage: the process may have too many open
         * files, for example. The rest of the segment is left out of this pass.
         */
        private void skip(FeliceException why) {
            found.clear();
            if (FeliceException.codeOf(why) == OFFSET_OUT_OF_RANGE) {
                next = log.startOffset() > from ? Math.min(passTo, log.startOffset()) : passTo;
            } else if (FeliceException.codeOf(why) == KAFKA_STORAGE_ERROR && !log.hasFailed()) {
                next = log.segments().stream()
                        .mapToLong(Segment::nextOffset)
                        .filter(end -> end > from)
                        .findFirst()
                        .orElse(passTo);
                next = Math.min(passTo, next);
                LOG.warn(
                        "{} is not read for damage from offset {} to {}: {}",
                        opened.partition(),
                        from,
                        next,
                        why.getMessage());
            } else {
                throw why;
            }
        }

        List<Damage> damages() {
            return found;
        }

        /** False if the bytes here are damaged, or somewhere in so many bytes. */
        private boolean readHere(int mostBytes) {
            Optional<Read> read = readAt(from, mostBytes);
            read.ifPresent(this::scan);
            return read.isPresent();
        }

        private void scan(Read read) {
            bytes = read.bytes();
            next = Math.min(passTo, read.next());
            DamageScan scan = new DamageScan(least(), passTo, opened.epochs(), this::damaged);
            scan.scan(read.batches(), next);
            if (scan.last() != null) {
                compareWithNextSegment(scan.last(), scan.leastOffsetOfLast());
            }
        }

        /**
         * The last batch of a segment may claim offsets of the next one. No batch behind it in these bytes says so, but the
         * engine has another batch at those offsets.
         */
        private void compareWithNextSegment(RecordBatch last, long least) {
            for (Segment segment : log.segments()) {
                long start = segment.baseOffset();
                if (start > least && start < last.nextOffset()) {
                    long there = baseAt(start);
                    if (there >= start && there < last.nextOffset() && there != last.baseOffset()) {
                        add(least, start, "a batch claims " + DamageScan.fieldsOf(last));
                        next = start;
                        return;
                    }
                }
            }
        }

        /** Empty if the engine finds no batch in the bytes, or if the disk does not give them. */
        private Optional<Read> readAt(long offset, int mostBytes) {
            Records records;
            try {
                records = log.read(offset, passTo, mostBytes, true);
            } catch (FeliceException unreadable) {
                if (FeliceException.codeOf(unreadable) != CORRUPT_MESSAGE) {
                    throw unreadable;
                }
                failure = unreadable.getMessage();
                return Optional.empty();
            }
            try (records) {
                return Optional.of(
                        records.sizeInBytes() == 0
                                ? new Read(ByteBuffer.allocate(0), 0, passTo)
                                : new Read(copyOf(records), records.sizeInBytes(), records.nextOffset()));
            } catch (FeliceException ioError) {
                failure = ioError.getMessage();
                return Optional.empty();
            }
        }

        /** In one piece, because what a damaged batch says about its end may be wrong. */
        private static ByteBuffer copyOf(Records records) {
            ByteBuffer all = ByteBuffer.allocate(records.sizeInBytes());
            LogScan.buffersOf(records).forEach(buffer -> all.put(buffer.duplicate()));
            return all.flip();
        }

        /** Below its start a log may have the first records of a batch. */
        private long least() {
            return from > log.startOffset() ? from : log.segments().get(0).baseOffset();
        }

        /** The engine may not find the batches right behind the damage, though they are sound. */
        private void damaged(long start, long end, String what) {
            if (start >= (found.isEmpty() ? from : found.get(found.size() - 1).to())) {
                long to = end < passTo && baseAt(end) != end ? readableFrom(end) : end;
                add(start, to, what);
                next = Math.max(next, to);
            }
        }

        private void add(long start, long end, String what) {
            found.add(new Damage(
                    Math.max(from, start),
                    Math.max(from + 1, end),
                    what,
                    environment.clock().millis()));
        }

        /**
         * The next offset at which the engine finds a batch: looked for in growing steps, then between the last two. The
         * end of the pass if there is none.
         */
        private long readableFrom(long least) {
            long unreadable = least - 1;
            long step = 1;
            long readable = least;
            while (readable < passTo && baseAt(readable) < least) {
                unreadable = readable;
                readable = Math.min(passTo, readable + step);
                step *= 2;
            }
            while (readable - unreadable > 1) {
                long middle = unreadable + (readable - unreadable) / 2;
                if (baseAt(middle) < least) {
                    unreadable = middle;
                } else {
                    readable = middle;
                }
            }
            return readable;
        }

        /** The base offset of the batch that the engine finds for an offset; -1 if it finds none. */
        private long baseAt(long offset) {
            return readAt(offset, 1)
                    .map(read -> read.bytes() == 0
                            ? passTo
                            : RecordBatch.at(read.batches()).baseOffset())
                    .orElse(-1L);
        }
    }

    /**
     * What was read.
     *
     * @param next where to read on
     */
    private record Read(ByteBuffer batches, long bytes, long next) {}
}
