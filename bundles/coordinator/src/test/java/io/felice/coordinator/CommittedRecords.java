package io.felice.coordinator;

import io.felice.api.TopicPartition;
import io.felice.coordinator.OffsetsRecord.OffsetStored;
import io.felice.records.RecordReader;
import java.util.HashMap;
import java.util.Map;

/** What the committed records of a log say: what a coordinator that begins now has in memory. */
final class CommittedRecords {
    private CommittedRecords() {}

    /** The committed offsets of the one group in the log. */
    static Map<TopicPartition, Long> offsetsIn(FakePartition.Log log) {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        log.batches.stream()
                .filter(batch -> batch.nextOffset() <= log.highWatermark)
                .forEach(batch -> RecordReader.read(batch, (offset, timestamp, key, value) -> {
                    if (OffsetsCodec.read(key, value) instanceof OffsetStored stored) {
                        if (stored.value() == null) {
                            offsets.remove(stored.partition());
                        } else {
                            offsets.put(stored.partition(), stored.value().offset());
                        }
                    }
                    return true;
                }));
        return offsets;
    }
}
