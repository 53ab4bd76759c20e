package io.felice.network;

import io.felice.protocol.PinnedRecords;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * The records in a fetch response. They keep memory or files of their log open until they are closed: normally when the
 * last byte is sent, here when the response will not be sent. Any thread.
 */
final class ResponseRecords {
    private ResponseRecords() {}

    static void release(ApiMessage response) {
        if (response instanceof FetchResponseData fetch) {
            fetch.responses().forEach(topic -> topic.partitions().forEach(ResponseRecords::release));
        }
    }

    /** The bytes of the records in a fetch response; 0 for any other response. */
    static long sizeInBytes(ApiMessage response) {
        return response instanceof FetchResponseData fetch
                ? fetch.responses().stream()
                        .flatMap(topic -> topic.partitions().stream())
                        .mapToLong(partition -> partition.records() == null
                                ? 0
                                : partition.records().sizeInBytes())
                        .sum()
                : 0;
    }

    private static void release(FetchResponseData.PartitionData partition) {
        if (partition.records() instanceof PinnedRecords pinned) {
            pinned.records().close();
        }
    }
}
