package io.felice.protocol;

import org.apache.kafka.common.message.EnvelopeResponseData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.protocol.ApiMessage;

/** Computes how many bytes of a response's records or data {@link ResponseFrame} will copy into its buffer. */
final class Sizes {
    private Sizes() {}

    static int copied(ApiMessage response) {
        if (response instanceof EnvelopeResponseData envelope) {
            return envelope.responseData() == null ? 0 : envelope.responseData().remaining();
        }
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
