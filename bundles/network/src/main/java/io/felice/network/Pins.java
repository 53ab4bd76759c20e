package io.felice.network;

import io.felice.protocol.PinnedRecords;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiMessage;

/** Releases the log records that a response pins, when the response will not be sent. Any thread. */
final class Pins {
    private Pins() {}

    static void release(ApiMessage response) {
        if (response instanceof FetchResponseData fetch) {
            fetch.responses().forEach(topic -> topic.partitions().forEach(Pins::release));
        }
    }

    private static void release(FetchResponseData.PartitionData partition) {
        if (partition.records() instanceof PinnedRecords pinned) {
            pinned.records().close();
        }
    }
}
