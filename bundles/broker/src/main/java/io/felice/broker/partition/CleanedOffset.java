package io.felice.broker.partition;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.TopicPartition;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far compaction got in a log: all records below this offset were compacted. It is kept in the partition's files. A
 * lower value, or none, only makes the next run read more; a value above records that were never compacted would leave them
 * so, therefore a truncation lowers it first. Thread-safe.
 */
final class CleanedOffset {
    private static final Logger LOG = LoggerFactory.getLogger(CleanedOffset.class);

    private final TopicPartition partition;
    private final PartitionFiles files;
    private volatile long offset;
    private long truncations;

    /** Reads the file. Blocks. */
    CleanedOffset(TopicPartition partition, PartitionFiles files, long logEnd) {
        this.partition = partition;
        this.files = files;
        this.offset = files.cleanedTo();
        try {
            truncated(logEnd);
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because(
                    "Up to which offset " + partition + " is compacted cannot be changed on disk", failure);
        }
    }

    /** Does not block. */
    long offset() {
        return offset;
    }

    /** How often the log was truncated: a run that began before has to end. */
    synchronized long truncations() {
        return truncations;
    }

    /** A run has compacted all below {@code to}. Blocks. */
    synchronized void advance(long to, long truncationsBefore) {
        if (truncations != truncationsBefore || to <= offset) {
            return;
        }
        offset = to;
        try {
            files.writeCleanedTo(to);
        } catch (IOException failure) {
            LOG.warn(
                    "That {} is compacted up to offset {} was not written to disk; after a restart the log is read again: {}",
                    partition,
                    to,
                    failure.toString());
        }
    }

    /** Before the log is truncated. Blocks. */
    synchronized void truncated(long to) throws IOException {
        truncations++;
        if (to < offset) {
            files.forgetCleanedTo();
            offset = 0;
        }
    }
}
