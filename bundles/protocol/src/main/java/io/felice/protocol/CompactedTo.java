package io.felice.protocol;

import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.types.RawTaggedField;

/**
 * The offset up to which a follower may compact a partition, in the answer of its leader: a tagged field that Kafka's
 * followers do not know and ignore. Its content is the offset in 8 bytes.
 */
public final class CompactedTo {
    /** Far above the tags that Kafka gives out. */
    private static final int TAG = 17_000;

    private static final long NOT_TOLD = -1;

    private CompactedTo() {}

    /** @param offset 0 or more */
    public static void write(PartitionData answer, long offset) {
        byte[] bytes = ByteBuffer.allocate(Long.BYTES).putLong(offset).array();
        answer.unknownTaggedFields().add(new RawTaggedField(TAG, bytes));
    }

    /** -1 if the answer does not say so. */
    public static long read(PartitionData answer) {
        List<RawTaggedField> fields = answer.unknownTaggedFields();
        for (RawTaggedField field : fields) {
            if (field.tag() == TAG && field.data().length == Long.BYTES) {
                return ByteBuffer.wrap(field.data()).getLong();
            }
        }
        return NOT_TOLD;
    }
}
