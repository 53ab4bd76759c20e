package io.felice.handlers;

import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.security.Action;
import io.felice.api.security.Authorization.Allowed;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.ResourceType;
import io.felice.protocol.RequestContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;

/** A fetch request: what it asks for, and what its version can understand. */
record AskedFetch(FetchRequestData request, RequestContext context) {
    private static final short FIRST_WITH_ZSTD = 10;
    private static final short FIRST_WITH_PREFERRED_REPLICA = 11;
    private static final short FIRST_WITH_TOPIC_IDS = 13;
    private static final short FIRST_WITH_LEADER_HINTS = 16;
    private static final int READ_COMMITTED = 1;

    Principal client() {
        return context.requester().principal();
    }

    boolean isById() {
        return context.apiVersion() >= FIRST_WITH_TOPIC_IDS;
    }

    boolean understandsZstd() {
        return context.apiVersion() >= FIRST_WITH_ZSTD;
    }

    boolean understandsPreferredReplica() {
        return context.apiVersion() >= FIRST_WITH_PREFERRED_REPLICA;
    }

    boolean understandsLeaderHints() {
        return context.apiVersion() >= FIRST_WITH_LEADER_HINTS;
    }

    boolean isReadCommitted() {
        return request.isolationLevel() == READ_COMMITTED;
    }

    /** The replica id, which is in {@code replicaState} since version 15. Every id below 0 means a consumer. */
    private int replicaId() {
        int id = request.replicaId() >= 0
                ? request.replicaId()
                : request.replicaState().replicaId();
        return id >= 0 ? id : FetchPlan.CONSUMER;
    }

    boolean isReplica() {
        return replicaId() != FetchPlan.CONSUMER;
    }

    /** The partitions that the request names. */
    List<Wanted> wanted() {
        List<Wanted> wanted = new ArrayList<>();
        for (FetchTopic topic : request.topics()) {
            for (FetchPartition partition : topic.partitions()) {
                wanted.add(new Wanted(Wanted.key(topic, partition, isById()), partition));
            }
        }
        return wanted;
    }

    /** @param mostBytes the broker's {@code fetch.max.bytes} */
    FetchPlan plan(List<Want> wants, int mostBytes) {
        int maxBytes = Math.min(request.maxBytes(), mostBytes);
        return new FetchPlan(
                wants,
                Math.min(request.minBytes(), maxBytes),
                maxBytes,
                Duration.ofMillis(Math.max(0, request.maxWaitMs())),
                isReadCommitted(),
                replicaId(),
                request.replicaState().replicaEpoch(),
                understandsPreferredReplica() ? request.rackId() : null);
    }

    /** A broker that follows needs one right for all topics. */
    List<Action> needs(Collection<String> topics) {
        return isReplica()
                ? List.of(Action.onCluster(Operation.CLUSTER_ACTION))
                : Rights.each(Operation.READ, ResourceType.TOPIC, topics);
    }

    /** The topics that the client may not read; all of them if it is a broker without the right to follow. */
    Set<String> refused(Set<String> topics, Allowed allowed) {
        if (allowed == Allowed.EVERYTHING) {
            return Set.of();
        }
        if (isReplica()) {
            return allowed.permits(Action.onCluster(Operation.CLUSTER_ACTION)) ? Set.of() : topics;
        }
        Set<String> refused = new HashSet<>(topics);
        refused.removeIf(topic -> allowed.permits(Operation.READ, ResourceType.TOPIC, topic));
        return refused;
    }
}
