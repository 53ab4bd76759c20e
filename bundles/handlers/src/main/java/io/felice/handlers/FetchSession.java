package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.security.Principal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchRequestData.ForgottenTopic;

/**
 * The partitions that a client has asked for in its incremental fetches (KIP-227). Thread-safe: methods that touch the
 * partitions or the epoch are synchronized.
 */
final class FetchSession {
    private static final int FIRST_EPOCH = 1;

    private final int id;
    private final Principal owner;
    private final boolean byId;
    private final long createdMs;
    private final Map<Wanted.Key, Wanted> partitions = new LinkedHashMap<>();
    private volatile long usedMs;
    private int epoch = FIRST_EPOCH;

    FetchSession(int id, Principal owner, boolean byId, List<Wanted> wanted, long nowMs) {
        this.id = id;
        this.owner = owner;
        this.byId = byId;
        this.createdMs = nowMs;
        this.usedMs = nowMs;
        wanted.forEach(one -> partitions.put(one.key(), one));
    }

    int id() {
        return id;
    }

    /** False for everybody but the client that has begun the session. */
    boolean isOf(Principal client) {
        return owner.equals(client);
    }

    long createdMs() {
        return createdMs;
    }

    long usedMs() {
        return usedMs;
    }

    synchronized int size() {
        return partitions.size();
    }

    synchronized boolean isAt(int expected) {
        return epoch == expected;
    }

    /**
     * Applies the changes of a fetch request to the partitions of this session and moves the session to its next epoch.
     *
     * @return all partitions of the session
     * @throws io.felice.api.FeliceException INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR
     */
    synchronized List<Wanted> advance(FetchRequestData changes, boolean asksById, long nowMs) {
        if (epoch != changes.sessionEpoch()) {
            throw ErrorCode.INVALID_FETCH_SESSION_EPOCH.because(
                    "Fetch session " + id + " is at epoch " + epoch + ", not " + changes.sessionEpoch());
        }
        if (byId != asksById) {
            throw ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR.because(
                    "Fetch session " + id + (byId ? " uses" : " does not use") + " topic ids");
        }
        for (FetchTopic topic : changes.topics()) {
            for (FetchPartition asked : topic.partitions()) {
                Wanted.Key key = Wanted.key(topic, asked, byId);
                Wanted known = partitions.get(key);
                if (known == null) {
                    partitions.put(key, new Wanted(key, asked));
                } else {
                    known.ask(asked);
                }
            }
        }
        for (ForgottenTopic topic : changes.forgottenTopicsData()) {
            for (int partition : topic.partitions()) {
                partitions.remove(new Wanted.Key(byId ? topic.topicId() : topic.topic(), partition));
            }
        }
        epoch = nextEpoch(epoch);
        usedMs = nowMs;
        return new ArrayList<>(partitions.values());
    }

    /** Moves a partition that returned records to the end, so that the other partitions are read first next time. */
    synchronized void served(Wanted wanted) {
        if (partitions.remove(wanted.key(), wanted)) {
            partitions.put(wanted.key(), wanted);
        }
    }

    static int nextEpoch(int epoch) {
        return epoch == Integer.MAX_VALUE ? FIRST_EPOCH : epoch + 1;
    }
}
