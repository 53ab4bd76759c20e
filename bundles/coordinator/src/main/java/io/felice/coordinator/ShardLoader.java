package io.felice.coordinator;

import static io.felice.api.ErrorCode.NOT_LEADER_OR_FOLLOWER;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.partition.Partition;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.Records;
import io.felice.records.Batches;
import io.felice.records.RecordReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replays a partition into its shard, in chunks, on the threads of {@code pool}, one chunk at a time. It ends when it has
 * read up to the end that the log had at the beginning, and the high watermark has reached that end. Records below the high
 * watermark are on all in-sync replicas, so that no later leader can have other records there.
 */
final class ShardLoader {
    private static final Logger LOG = LoggerFactory.getLogger(ShardLoader.class);

    private static final long UNKNOWN = -1L;

    private final Shard shard;
    private final Partition partition;
    private final Executor pool;
    private final ScheduledExecutorService scheduler;
    private final Consumer<ShardLoader> loaded;
    private final long startedMs;
    private long next;
    private long end = UNKNOWN;
    private long retryMs = GroupLimits.LOAD_RETRY.toMillis();
    private long records;
    private long skipped;
    private String firstSkip;
    private ByteBuffer chunk = ByteBuffer.allocate(0);

    ShardLoader(Shard shard, Executor pool, ScheduledExecutorService scheduler, Consumer<ShardLoader> loaded) {
        this.shard = shard;
        this.partition = shard.partition();
        this.pool = pool;
        this.scheduler = scheduler;
        this.loaded = loaded;
        this.startedMs = shard.time().nowMs();
    }

    void start() {
        onPool(this::readOn);
    }

    Shard shard() {
        return shard;
    }

    long records() {
        return records;
    }

    long tookMs() {
        return shard.time().nowMs() - startedMs;
    }

    private void readOn() {
        if (shard.isRetired()) {
            return;
        }
        if (end == UNKNOWN) {
            end = partition.logEndOffset();
        }
        next = Math.max(next, partition.logStartOffset());
        if (next < end) {
            partition
                    .read(next, GroupLimits.LOAD_CHUNK_BYTES, ReadLimit.LOG_END)
                    .whenComplete((read, failure) -> {
                        if (!onPool(() -> took(read, failure)) && read != null) {
                            read.close();
                        }
                    });
        } else if (partition.highWatermark() < end) {
            later(GroupLimits.HIGH_WATERMARK_POLL.toMillis());
        } else {
            finish();
        }
    }

    private void took(Records read, Throwable failure) {
        if (failure != null) {
            failed(failure);
            return;
        }
        try (read) {
            if (shard.isRetired()) {
                return;
            }
            if (read.sizeInBytes() == 0) {
                next = end;
            } else {
                replay(read);
            }
        }
        readOn();
    }

    private void replay(Records read) {
        if (read instanceof Records.InMemory memory) {
            memory.buffers().forEach(buffer -> replay(buffer.duplicate()));
        } else if (read instanceof Records.InFile file) {
            replay(bytesOf(file));
        }
    }

    private void replay(ByteBuffer bytes) {
        List<RecordBatch> batches = Batches.split(bytes);
        for (RecordBatch batch : batches) {
            if (!batch.isControl()) {
                replay(batch);
            }
            next = batch.nextOffset();
        }
    }

    private void replay(RecordBatch batch) {
        try {
            RecordReader.read(batch, this::replay);
        } catch (FeliceException unreadable) {
            skip(unreadable);
        }
    }

    private boolean replay(long offset, long timestamp, ByteBuffer key, ByteBuffer value) {
        try {
            shard.replay(OffsetsCodec.read(key, value));
            records++;
        } catch (FeliceException unknown) {
            skip(unknown);
        }
        return true;
    }

    private void skip(FeliceException reason) {
        if (skipped++ == 0) {
            firstSkip = reason.getMessage();
        }
    }

    private ByteBuffer bytesOf(Records.InFile file) {
        if (chunk.capacity() < file.sizeInBytes()) {
            chunk = ByteBuffer.allocate(Math.max(file.sizeInBytes(), GroupLimits.LOAD_CHUNK_BYTES));
        }
        ByteBuffer bytes = chunk.duplicate().clear().limit(file.sizeInBytes());
        try {
            while (bytes.hasRemaining()) {
                if (file.channel().read(bytes, file.position() + bytes.position()) < 0) {
                    throw new EOFException("the file ends before the last record");
                }
            }
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
        return bytes.flip();
    }

    private void finish() {
        chunk = null;
        if (skipped > 0) {
            LOG.warn(
                    "{} records of {} could not be read and were skipped; the first: {}",
                    skipped,
                    partition.id(),
                    firstSkip);
        }
        loaded.accept(this);
    }

    private void failed(Throwable failure) {
        if (FeliceException.codeOf(failure) == NOT_LEADER_OR_FOLLOWER) {
            later(retryMs); // the shard is about to be retired
        } else if (!shard.isRetired()) {
            LOG.warn(
                    "{} cannot be read from offset {}; its groups are not served, the next try is in {} ms",
                    partition.id(),
                    next,
                    retryMs,
                    failure);
            later(retryMs);
            retryMs = Math.min(retryMs * 2, GroupLimits.LONGEST_LOAD_RETRY.toMillis());
        }
    }

    private void later(long delayMs) {
        try {
            scheduler.schedule(() -> onPool(this::readOn), delayMs, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException shutDown) {
            LOG.debug("Loading of {} ends: the coordinator stops", partition.id());
        }
    }

    /** Runs the step on the pool. Returns false, without running it, if the pool is shut down. */
    private boolean onPool(Runnable step) {
        try {
            pool.execute(() -> {
                try {
                    step.run();
                } catch (RuntimeException unexpected) {
                    failed(unexpected);
                }
            });
            return true;
        } catch (RejectedExecutionException shutDown) {
            LOG.debug("Loading of {} ends: the coordinator stops", partition.id());
            return false;
        }
    }
}
