package io.felice.network;

import io.felice.protocol.PinnedRecords;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiMessage;

/** Gives back what a response holds of a log when nobody will send it. Any thread. */
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
