package io.felice.replication;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchRequestData.ForgottenTopic;
import org.apache.kafka.common.message.FetchResponseData;

/**
 * The fetch session with a leader (KIP-227): the leader remembers the partitions, and each request has only those that
 * are asked for something else than before. A request costs what has changed, not what is followed. Used by one thread.
 */
final class LeaderSession {
    private static final int NO_SESSION = 0;
    private static final int FULL = 0;

    private final Map<FetchTarget.Key, FetchTarget> partitions = new LinkedHashMap<>();
    private final Set<FetchTarget> changed = new LinkedHashSet<>();
    private final Set<FetchTarget.Key> forgotten = new LinkedHashSet<>();
    private int id = NO_SESSION;
    private int epoch = FULL;

    int id() {
        return id;
    }

    boolean isEmpty() {
        return partitions.isEmpty();
    }

    Collection<FetchTarget> partitions() {
        return partitions.values();
    }

    boolean has(FetchTarget target) {
        return partitions.get(target.key) == target;
    }

    /** The partition is in the next request, and the leader answers it until it is removed. */
    void put(FetchTarget target) {
        FetchTarget before = partitions.put(target.key, target);
        if (before != null) {
            changed.remove(before);
        }
        forgotten.remove(target.key);
        changed.add(target);
    }

    void remove(FetchTarget target) {
        if (partitions.remove(target.key, target)) {
            changed.remove(target);
            if (target.isAsked) {
                forgotten.add(target.key);
            }
            target.isAsked = false;
        }
    }

    /** The partitions that the leader was not asked for yet, and that do not wait for the answer to a request. */
    List<FetchTarget> impatient() {
        return changed.stream()
                .filter(target -> !target.isAsked && !target.isPatient)
                .toList();
    }

    /** The partition of an answer; null if the leader was not asked for it. */
    FetchTarget asked(Uuid topic, int partition) {
        FetchTarget target = partitions.get(new FetchTarget.Key(topic, partition));
        return target != null && target.isAsked ? target : null;
    }

    /** The next request is a full one: it is not known what the leader remembers. */
    void restart() {
        epoch = FULL;
        partitions.values().forEach(target -> target.isAsked = false);
    }

    /** Adds the partitions, and what the session is at, to a request. */
    void fill(FetchRequestData request, int partitionBytes) {
        boolean isFull = epoch == FULL;
        request.setSessionId(id).setSessionEpoch(epoch);
        request.setTopics(topics(isFull ? partitions.values() : changed, partitionBytes));
        request.setForgottenTopicsData(isFull ? List.of() : forgottenTopics());
        changed.clear();
        forgotten.clear();
    }

    private static List<FetchTopic> topics(Collection<FetchTarget> targets, int partitionBytes) {
        List<FetchTopic> topics = new ArrayList<>();
        Map<Uuid, FetchTopic> byId = new HashMap<>();
        for (FetchTarget target : targets) {
            byId.computeIfAbsent(target.key.topic(), topic -> {
                        FetchTopic added = new FetchTopic().setTopicId(topic);
                        topics.add(added);
                        return added;
                    })
                    .partitions()
                    .add(target.ask(partitionBytes));
        }
        return topics;
    }

    private List<ForgottenTopic> forgottenTopics() {
        Map<Uuid, ForgottenTopic> topics = new LinkedHashMap<>();
        for (FetchTarget.Key key : forgotten) {
            topics.computeIfAbsent(key.topic(), topic -> new ForgottenTopic().setTopicId(topic))
                    .partitions()
                    .add(key.partition());
        }
        return List.copyOf(topics.values());
    }

    /** Takes what the answer says of the session. The answer has no error. */
    void answered(FetchResponseData answer) {
        id = answer.sessionId();
        epoch = id == NO_SESSION ? FULL : nextEpoch(epoch);
    }

    private static int nextEpoch(int epoch) {
        return epoch == Integer.MAX_VALUE ? 1 : epoch + 1;
    }

    /** Without a session the leader reads the partitions in the order of the request: this one comes last next time. */
    void served(FetchTarget target) {
        if (id == NO_SESSION && partitions.remove(target.key, target)) {
            partitions.put(target.key, target);
        }
    }
}
