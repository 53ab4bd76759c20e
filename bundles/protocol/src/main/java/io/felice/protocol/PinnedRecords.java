package io.felice.protocol;

import io.felice.api.storage.Records;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.RecordsSend;

/**
 * The records of a log in a fetch response. {@link ResponseFrame} sends them from the log's memory or file, or copies
 * them if they are small, and closes them when the response is sent.
 */
public final class PinnedRecords implements BaseRecords {
    private final Records records;

    public PinnedRecords(Records records) {
        this.records = records;
    }

    public Records records() {
        return records;
    }

    @Override
    public int sizeInBytes() {
        return records.sizeInBytes();
    }

    /** Never called, because {@link ResponseFrame} writes the responses and not the network code of kafka-clients. */
    @Override
    public RecordsSend<? extends BaseRecords> toSend() {
        throw new IllegalStateException("records of a log are sent by the network bundle");
    }
}
