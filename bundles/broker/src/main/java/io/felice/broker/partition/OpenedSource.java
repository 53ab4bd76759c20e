package io.felice.broker.partition;

import io.felice.api.partition.Partition.EpochEnd;
import io.felice.api.partition.Partition.ReadLimit;
import io.felice.api.storage.Records;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** An open log of this node, as a follower reads it. */
final class OpenedSource implements FollowedLog {
    private final OpenedLog log;
    private final ReadLimit limit;

    /** @param limit LOG_END only while nobody appends, otherwise HIGH_WATERMARK: records above it may be lost again */
    OpenedSource(OpenedLog log, ReadLimit limit) {
        this.log = log;
        this.limit = limit;
    }

    @Override
    public Fetched fetch(long offset, int lastFetchedEpoch, int maxBytes) {
        log.mustBeOpen();
        long start = log.startOffset();
        long end = limit == ReadLimit.LOG_END ? log.endOffset() : log.highWatermark();
        Optional<EpochEnd> divergence = offset < start ? Optional.empty() : divergence(offset, lastFetchedEpoch);
        long from = Math.max(offset, start);
        List<ByteBuffer> batches = divergence.isPresent() || from >= end ? List.of() : read(from, end, maxBytes);
        return new Fetched(start, end, divergence, batches);
    }

    private Optional<EpochEnd> divergence(long offset, int lastFetchedEpoch) {
        long logEnd = log.endOffset();
        Optional<EpochEnd> divergence =
                lastFetchedEpoch < 0 ? Optional.empty() : log.epochs().divergence(lastFetchedEpoch, offset, logEnd);
        return divergence.isEmpty() && offset > logEnd
                ? Optional.of(new EpochEnd(lastFetchedEpoch, logEnd))
                : divergence;
    }

    private List<ByteBuffer> read(long from, long end, int maxBytes) {
        try (Records records = log.read(from, end, maxBytes, true)) {
            List<ByteBuffer> copies = new ArrayList<>();
            for (ByteBuffer bytes : LogScan.buffersOf(records)) {
                copies.add(ByteBuffer.allocate(bytes.remaining())
                        .put(bytes.duplicate())
                        .flip());
            }
            return copies;
        }
    }
}
