package io.felice.cli;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/** The first and last offsets of partitions, and those of times. Blocks. */
interface LogOffsets {
    Map<TopicPartition, Long> start(Collection<TopicPartition> partitions);

    /** Behind the last record. */
    Map<TopicPartition, Long> end(Collection<TopicPartition> partitions);

    /** Of the first record that is not older; behind the last record if all are older. */
    Map<TopicPartition, Long> at(Collection<TopicPartition> partitions, long epochMs);

    static LogOffsets of(Admin admin, ClientOptions client) {
        return new LogOffsets() {
            @Override
            public Map<TopicPartition, Long> start(Collection<TopicPartition> partitions) {
                return ask(partitions, OffsetSpec.earliest());
            }

            @Override
            public Map<TopicPartition, Long> end(Collection<TopicPartition> partitions) {
                return ask(partitions, OffsetSpec.latest());
            }

            @Override
            public Map<TopicPartition, Long> at(Collection<TopicPartition> partitions, long epochMs) {
                Map<TopicPartition, Long> found = new HashMap<>(ask(partitions, OffsetSpec.forTimestamp(epochMs)));
                Map<TopicPartition, Long> end = end(partitions);
                found.replaceAll((partition, offset) -> offset < 0 ? end.get(partition) : offset);
                return found;
            }

            private Map<TopicPartition, Long> ask(Collection<TopicPartition> partitions, OffsetSpec what) {
                Map<TopicPartition, OffsetSpec> specs =
                        partitions.stream().collect(Collectors.toMap(Function.identity(), each -> what));
                Map<TopicPartition, Long> offsets = new HashMap<>();
                Map<TopicPartition, ListOffsetsResultInfo> found =
                        client.get(admin.listOffsets(specs).all());
                found.forEach((partition, info) -> offsets.put(partition, info.offset()));
                return offsets;
            }
        };
    }
}
