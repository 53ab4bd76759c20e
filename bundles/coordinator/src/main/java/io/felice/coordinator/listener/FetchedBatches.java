package io.felice.coordinator.listener;

import io.felice.api.RecordBatch;
import io.felice.api.TopicPartition;
import io.felice.api.listener.ReceivedRecord;
import io.felice.api.storage.Records;
import io.felice.records.Batches;
import io.felice.records.RecordReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The batches of a partition, copied out of its log, so that a listener that takes its time holds no file and no memory. */
final class FetchedBatches {
    private final TopicPartition partition;
    private final ByteBuffer bytes;

    /** Copies the records, which the caller closes. */
    FetchedBatches(TopicPartition partition, Records records) {
        this.partition = partition;
        this.bytes = ByteBuffer.allocate(records.sizeInBytes());
        if (records instanceof Records.InMemory memory) {
            memory.buffers().forEach(buffer -> bytes.put(buffer.duplicate()));
        } else if (records instanceof Records.InFile file) {
            read(file);
        }
        bytes.flip();
    }

    private void read(Records.InFile file) {
        try {
            while (bytes.hasRemaining()) {
                if (file.channel().read(bytes, file.position() + bytes.position()) < 0) {
                    throw new EOFException("the file of " + partition + " ends before the last record");
                }
            }
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    TopicPartition partition() {
        return partition;
    }

    /** Takes some of the records. */
    interface Taker {
        /** @return false to get no more */
        boolean take(List<ReceivedRecord> records, long nextOffset);
    }

    /**
     * Passes the records from an offset on to the taker, at most so many, and about so many bytes, at a time.
     *
     * @return false if the taker wants no more
     * @throws io.felice.api.FeliceException CORRUPT_MESSAGE if the records cannot be read
     */
    boolean read(long from, int mostRecords, int mostBytes, Taker taker) {
        for (RecordBatch batch : Batches.split(bytes)) {
            if (batch.nextOffset() > from && !read(batch, from, mostRecords, mostBytes, taker)) {
                return false;
            }
        }
        return true;
    }

    private boolean read(RecordBatch batch, long from, int mostRecords, int mostBytes, Taker taker) {
        List<ReceivedRecord> some = new ArrayList<>();
        if (!batch.isControl()) {
            long[] size = {0};
            boolean isRead = RecordReader.readWithHeaders(batch, (offset, timestamp, key, value, headers) -> {
                if (offset >= from) {
                    some.add(new ReceivedRecord(partition, offset, timestamp, copy(key), copy(value), headers));
                    size[0] += (key == null ? 0 : key.remaining()) + (value == null ? 0 : value.remaining());
                }
                if (some.size() < mostRecords && size[0] < mostBytes) {
                    return true;
                }
                boolean goesOn = taker.take(List.copyOf(some), offset + 1);
                some.clear();
                size[0] = 0;
                return goesOn;
            });
            if (!isRead) {
                return false;
            }
        }
        return taker.take(some, batch.nextOffset());
    }

    private static byte[] copy(ByteBuffer text) {
        if (text == null) {
            return null;
        }
        byte[] bytes = new byte[text.remaining()];
        text.get(text.position(), bytes);
        return bytes;
    }
}
