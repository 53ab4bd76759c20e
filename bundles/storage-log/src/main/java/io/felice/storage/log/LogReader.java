package io.felice.storage.log;

import static io.felice.api.ErrorCode.CORRUPT_MESSAGE;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.Records;
import io.felice.api.storage.Segment;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a log: from memory if the batches are in the tail, otherwise from a file. Any thread. A reader takes only the
 * log's monitor, and holds no lock while it reads a file. If the file's segment is dropped meanwhile, it tries again.
 */
final class LogReader {
    private static final Logger LOG = LoggerFactory.getLogger(LogReader.class);

    private final LogId id;
    private final LogState state;
    /** The segment whose read error was logged last, so that it is not logged at every read. */
    private volatile SegmentFile unreadable;

    LogReader(LogId id, LogState state) {
        this.id = id;
        this.state = state;
    }

    Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
        long at = from;
        while (true) {
            SharedFile.Pin pin;
            synchronized (state) {
                Records known = state.readFromMemory(from, at, limit, maxBytes, atLeastOne);
                if (known != null) {
                    return known;
                }
                pin = state.pin(at);
            }
            Records cold = readFile(pin, at, limit, maxBytes, atLeastOne);
            if (cold != null) {
                return cold;
            }
            at = pin.segment.isRetired() ? at : Math.max(at, pin.next);
        }
    }

    /**
     * Reads from a file; null if the file has no batch from {@code from} on. Damaged bytes and read errors fail only
     * this read: the log can still be written.
     */
    private Records readFile(SharedFile.Pin pin, long from, long limit, int maxBytes, boolean atLeastOne) {
        Records read = null;
        try {
            read = find(pin, from, limit, maxBytes, atLeastOne);
        } catch (SegmentFile.Damaged damage) {
            if (!pin.segment.isRetired()) {
                throw CORRUPT_MESSAGE.because(
                        id + " cannot be read at offset " + from + ": " + damage.getMessage(), damage);
            }
        } catch (IOException failure) {
            mustBeRetired(pin.segment, from, failure);
        } finally {
            if (read == null || read == Records.EMPTY) {
                pin.run();
            }
        }
        return read;
    }

    private static Records find(SharedFile.Pin pin, long from, long limit, int maxBytes, boolean atLeastOne)
            throws IOException {
        SegmentFile segment = pin.segment;
        FileChannel channel = segment.file.channel(false);
        BatchScan scan = segment.scan();
        long position = segment.find(scan, from, pin.readable, pin.next);
        long left = pin.readable - position;
        if (left == 0) {
            return null;
        }
        SegmentFile.Stretch found = left <= maxBytes && limit >= pin.next
                ? new SegmentFile.Stretch((int) left, pin.next)
                : segment.stretch(scan, limit, position, maxBytes, atLeastOne, pin.readable, pin.next);
        if (found.bytes() == 0) {
            return Records.EMPTY;
        }
        pin.narrow(position, found.bytes());
        return new Records.InFile(channel, position, found.bytes(), found.next(), pin);
    }

    boolean isHot(long from) {
        return state.isHot(from);
    }

    List<Segment> segments() {
        state.segments().forEach(this::maxTimestampOf);
        return state.describeSegments();
    }

    /** May load the segment's index. -1 if the segment was dropped meanwhile. */
    private long maxTimestampOf(SegmentFile segment) {
        try {
            return segment.maxTimestamp();
        } catch (IOException failure) {
            mustBeRetired(segment, segment.baseOffset, failure);
            return RecordBatch.NO_TIMESTAMP;
        }
    }

    long scanStartFor(long timestamp) {
        for (SegmentFile segment : state.segments()) {
            if (maxTimestampOf(segment) >= timestamp) {
                return Math.min(state.end(), Math.max(state.start(), scanStartIn(segment, timestamp)));
            }
        }
        return state.end();
    }

    private long scanStartIn(SegmentFile segment, long timestamp) {
        try {
            return segment.index().offsetBefore(timestamp);
        } catch (IOException failure) {
            mustBeRetired(segment, segment.baseOffset, failure);
            return segment.baseOffset;
        }
    }

    /**
     * Ignores a read error of a retired segment, whose file may be deleted. A read error of any other segment fails the
     * read, but not the log: appends do not touch the unreadable bytes.
     */
    private void mustBeRetired(SegmentFile segment, long from, IOException failure) {
        if (!segment.isRetired()) {
            if (unreadable != segment) {
                unreadable = segment;
                LOG.error("{} cannot be read at offset {}; appends go on: {}", id, from, failure.toString());
            }
            throw KAFKA_STORAGE_ERROR.because(
                    id + " cannot be read at offset " + from + ": " + failure.getMessage(), failure);
        }
    }
}
