package io.felice.console;

import io.felice.api.TopicPartition;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The partitions in the assignment of a member of a consumer group.
 *
 * <pre>
 * version     int16
 * topics      int32 count, then for each: int16 length, name in UTF-8, int32 count, int32 for each partition
 * user data   ignored
 * </pre>
 */
final class ConsumerAssignment {
    private static final int MOST_PARTITIONS = 100_000;

    private ConsumerAssignment() {}

    /** Empty if the bytes are something else: clients may send what they like. */
    static List<TopicPartition> parse(byte[] assignment) {
        List<TopicPartition> partitions = new ArrayList<>();
        try {
            ByteBuffer bytes = ByteBuffer.wrap(assignment);
            if (!bytes.hasRemaining()) {
                return List.of();
            }
            bytes.getShort();
            int topics = bytes.getInt();
            for (int i = 0; i < topics; i++) {
                int length = bytes.getShort();
                if (length < 0 || length > bytes.remaining()) {
                    return List.of();
                }
                byte[] name = new byte[length];
                bytes.get(name);
                String topic = new String(name, StandardCharsets.UTF_8);
                int count = bytes.getInt();
                for (int j = 0; j < count; j++) {
                    partitions.add(new TopicPartition(topic, bytes.getInt()));
                    if (partitions.size() > MOST_PARTITIONS) {
                        return List.of();
                    }
                }
            }
            return partitions;
        } catch (BufferUnderflowException noAssignment) {
            return List.of();
        } catch (IllegalArgumentException noPartition) {
            return List.of();
        }
    }
}
