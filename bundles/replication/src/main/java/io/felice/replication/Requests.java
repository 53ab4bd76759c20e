package io.felice.replication;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.ListOffsetsRequest;

/** Makes the requests to a leader. */
final class Requests {
    /** The first version of Fetch in which a follower gives its broker epoch. */
    private static final short FIRST_OF_FETCH = 15;

    private static final short LAST_OF_FETCH = 18;
    private static final short FIRST_OF_LIST_OFFSETS = 4;

    private Requests() {}

    static AbstractRequest.Builder<FetchRequest> fetch(FetchRequestData data) {
        return new AbstractRequest.Builder<>(ApiKeys.FETCH, FIRST_OF_FETCH, LAST_OF_FETCH) {
            @Override
            public FetchRequest build(short version) {
                return new FetchRequest(data, version);
            }
        };
    }

    /** @param timestamp {@link ListOffsetsRequest#EARLIEST_TIMESTAMP} or {@link ListOffsetsRequest#LATEST_TIMESTAMP} */
    static AbstractRequest.Builder<ListOffsetsRequest> listOffsets(
            int brokerId, Collection<FetchTarget> targets, long timestamp) {
        Map<String, ListOffsetsTopic> topics = new HashMap<>();
        for (FetchTarget target : targets) {
            topics.computeIfAbsent(target.partition.id().topic(), name -> new ListOffsetsTopic().setName(name))
                    .partitions()
                    .add(new ListOffsetsPartition()
                            .setPartitionIndex(target.partition.id().partition())
                            .setCurrentLeaderEpoch(target.partition.leaderEpoch())
                            .setTimestamp(timestamp));
        }
        List<ListOffsetsTopic> all = new ArrayList<>(topics.values());
        return ListOffsetsRequest.Builder.forReplica(FIRST_OF_LIST_OFFSETS, brokerId)
                .setTargetTimes(all);
    }
}
