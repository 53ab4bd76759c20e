package io.felice.protocol;

import io.felice.api.storage.Records;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.RecordsSend;

/** A log's records on their way into a fetch response: never copied, given back when the response is sent. */
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

    /** Responses are written by {@link ResponseFrame}, not by kafka-clients' network. */
    @Override
    public RecordsSend<? extends BaseRecords> toSend() {
        throw new IllegalStateException("records of a log are sent by the network bundle");
    }
}
