package io.felice.protocol;

import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiMessage;

/** Computes how many bytes of a response's records {@link ResponseFrame} will copy into its buffer. */
final class Sizes {
    private Sizes() {}

    static int copiedRecords(ApiMessage response) {
        if (!(response instanceof FetchResponseData fetch)) {
            return 0;
        }
        int bytes = 0;
        for (FetchResponseData.FetchableTopicResponse topic : fetch.responses()) {
            for (FetchResponseData.PartitionData partition : topic.partitions()) {
                if (partition.records() instanceof PinnedRecords pinned
                        && ResponseFrame.Collector.fitsBeside(pinned.records())) {
                    bytes += pinned.sizeInBytes();
                }
            }
        }
        return bytes;
    }
}
