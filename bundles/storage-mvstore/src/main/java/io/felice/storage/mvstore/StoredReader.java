package io.felice.storage.mvstore;

import static io.felice.api.ErrorCode.CORRUPT_MESSAGE;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.RecordBatch;
import io.felice.api.storage.Records;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Reads batches of a log, from memory if they are there. What it gives are views of pages; nothing has to be given back. */
final class StoredReader {
    /** How often a read begins again because a store file was opened again, or because a segment was moved. */
    private static final int MOST_TRIES = 100;

    private final StoredLog log;

    StoredReader(StoredLog log) {
        this.log = log;
    }

    Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
        long at = from;
        for (int tries = 0; tries < MOST_TRIES; tries++) {
            StoredLog.Found found = log.find(from, at, limit, maxBytes, atLeastOne);
            if (found.records() != null) {
                return found.records();
            }
            try {
                Collected collected = new Collected(at, limit, maxBytes, atLeastOne);
                boolean readAll = collected.readAll(found);
                if (!readAll || !collected.batches.isEmpty()) {
                    return collected.records();
                }
                at = found.firstInMemory();
            } catch (StoreFile.ReopenedException again) {
                continue;
            } catch (IOException failure) {
                throw KAFKA_STORAGE_ERROR.because(log + " cannot be read: " + failure.getMessage(), failure);
            }
        }
        throw KAFKA_STORAGE_ERROR.because(log + " cannot be read: its store files change all the time");
    }

    /** The batches of one read, out of the store files. */
    private final class Collected {
        private final long from;
        private final long limit;
        private final boolean atLeastOne;
        private final List<ByteBuffer> batches = new ArrayList<>();
        private long room;
        private long next;
        private boolean full;

        Collected(long from, long limit, int maxBytes, boolean atLeastOne) {
            this.from = from;
            this.limit = limit;
            this.room = maxBytes;
            this.atLeastOne = atLeastOne;
        }

        /** False if the limit, the size or a damaged batch ended the reading before the end of what is in files. */
        boolean readAll(StoredLog.Found found) throws IOException {
            for (int i = 0; i < found.segments().size() && !full; i++) {
                read(found.segments().get(i), found.ends().get(i));
            }
            return !full;
        }

        private void read(StoredSegment segment, long end) throws IOException {
            StoreFile file = segment.file();
            if (!file.enter()) {
                throw new StoreFile.ReopenedException(file.path());
            }
            try {
                file.forEachBatch(
                        segment.keyOf(Math.max(from, segment.base())),
                        segment.keyOf(end),
                        (key, value) -> take(value, segment.lastOffset(key)));
            } finally {
                file.leave();
            }
        }

        /** A damaged batch ends the reading; a read that begins with it fails. */
        private boolean take(ByteBuffer value, long lastOffset) {
            room -= value.remaining();
            full = (room < 0 && !(atLeastOne && batches.isEmpty())) || lastOffset >= limit;
            if (full) {
                return false;
            }
            RecordBatch batch = RecordBatch.at(value);
            boolean sound = value.remaining() >= RecordBatch.HEADER_BYTES
                    && batch.sizeInBytes() == value.remaining()
                    && batch.lastOffset() == lastOffset;
            if (!sound && batches.isEmpty()) {
                throw CORRUPT_MESSAGE.because(
                        "The batch of " + log + " that ends with offset " + lastOffset + " is damaged");
            }
            full = !sound;
            if (sound) {
                batches.add(value);
                next = lastOffset + 1;
            }
            return sound;
        }

        Records records() {
            return batches.isEmpty() ? Records.EMPTY : new Records.InMemory(batches, next, () -> {});
        }
    }
}
