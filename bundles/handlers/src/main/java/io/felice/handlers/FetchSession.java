package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.partition.FetchPlan.Want;
import io.felice.api.partition.RepeatedFetch;
import io.felice.api.security.Principal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
    /** A right that is taken away is missed at a fetch after this time at the latest, though the topic has nothing new. */
    private static final long RIGHTS_ASKED_EVERY_MS = 500;

    private final int id;
    private final Principal owner;
    private final boolean byId;
    private final long createdMs;
    private final RepeatedFetch fetch;
    private final Map<Wanted.Key, Wanted> partitions = new LinkedHashMap<>();
    /** Those that {@link #fetch} reads. */
    private final Map<TopicPartition, Wanted> read = new HashMap<>();
    /** Those that it does not read: their topic is unknown, or the client may not read it, or they are new. */
    private final Set<Wanted> unread = new LinkedHashSet<>();

    private final List<TopicPartition> forgottenLater = new ArrayList<>();
    private volatile long usedMs;
    private int epoch = FIRST_EPOCH;
    private long rightsAskedMs;

    /**
     * What a request changes.
     *
     * @param changed the partitions of which the client wants something else than before, and those that are not read yet
     * @param forgotten the partitions that are not to be read any more
     */
    record Step(List<Wanted> changed, List<TopicPartition> forgotten) {}

    FetchSession(int id, Principal owner, boolean byId, List<Wanted> wanted, RepeatedFetch fetch, long nowMs) {
        this.id = id;
        this.owner = owner;
        this.byId = byId;
        this.fetch = fetch;
        this.createdMs = nowMs;
        this.usedMs = nowMs;
        this.rightsAskedMs = nowMs;
        wanted.forEach(one -> partitions.put(one.key(), one));
        unread.addAll(partitions.values());
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

    RepeatedFetch fetch() {
        return fetch;
    }

    void close() {
        fetch.close();
    }

    synchronized int size() {
        return partitions.size();
    }

    synchronized List<Wanted> all() {
        return List.copyOf(partitions.values());
    }

    synchronized boolean isAt(int expected) {
        return epoch == expected;
    }

    /**
     * Applies the changes of a fetch request to the partitions of this session and moves the session to its next epoch.
     *
     * @throws io.felice.api.FeliceException INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR
     */
    synchronized Step advance(AskedFetch asked, long nowMs) {
        FetchRequestData changes = asked.request();
        if (epoch != changes.sessionEpoch()) {
            throw ErrorCode.INVALID_FETCH_SESSION_EPOCH.because(
                    "Fetch session " + id + " is at epoch " + epoch + ", not " + changes.sessionEpoch());
        }
        if (byId != asked.isById()) {
            throw ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR.because(
                    "Fetch session " + id + (byId ? " does not use names" : " does not use topic ids"));
        }
        Set<Wanted> changed = new LinkedHashSet<>();
        for (FetchTopic topic : changes.topics()) {
            for (FetchPartition partition : topic.partitions()) {
                changed.add(changed(Wanted.key(topic, partition, byId), partition));
            }
        }
        List<TopicPartition> forgotten = new ArrayList<>(forgottenLater);
        forgottenLater.clear();
        for (ForgottenTopic topic : changes.forgottenTopicsData()) {
            for (int partition : topic.partitions()) {
                Wanted gone = partitions.remove(new Wanted.Key(byId ? topic.topicId() : topic.topic(), partition));
                if (gone != null) {
                    changed.remove(gone);
                    leaveOut(gone).ifPresent(forgotten::add);
                    unread.remove(gone);
                }
            }
        }
        changed.addAll(unread);
        epoch = nextEpoch(epoch);
        usedMs = nowMs;
        return new Step(List.copyOf(changed), forgotten);
    }

    private Wanted changed(Wanted.Key key, FetchPartition asked) {
        Wanted known = partitions.get(key);
        if (known != null) {
            known.ask(asked);
            return known;
        }
        Wanted added = new Wanted(key, asked);
        partitions.put(key, added);
        unread.add(added);
        return added;
    }

    static int nextEpoch(int epoch) {
        return epoch == Integer.MAX_VALUE ? FIRST_EPOCH : epoch + 1;
    }

    // ---- which partitions are read

    /** True if any partition is read. */
    synchronized boolean isRead() {
        return !read.isEmpty();
    }

    /** The partition is read from now on as the returned want says. */
    synchronized Want read(Wanted one, String topic) {
        Want want = one.under(topic);
        if (partitions.get(one.key()) == one) {
            unread.remove(one);
            read.put(want.partition(), one);
        }
        return want;
    }

    /** The topics that are read, if it is time to ask for the rights to all of them again; else none. */
    synchronized Set<String> topicsToAskFor(long nowMs) {
        if (nowMs - rightsAskedMs < RIGHTS_ASKED_EVERY_MS) {
            return Set.of();
        }
        rightsAskedMs = nowMs;
        Set<String> topics = new LinkedHashSet<>();
        read.keySet().forEach(partition -> topics.add(partition.topic()));
        return topics;
    }

    /** What is read of these topics. */
    synchronized List<Wanted> readingOf(Set<String> topics) {
        return topics.isEmpty()
                ? List.of()
                : read.entrySet().stream()
                        .filter(entry -> topics.contains(entry.getKey().topic()))
                        .map(Map.Entry::getValue)
                        .toList();
    }

    /** Null if the partition is not read. */
    synchronized Wanted reading(TopicPartition partition) {
        return read.get(partition);
    }

    /** The partition is not read any more, but tried again. Empty if it was not read. */
    synchronized Optional<TopicPartition> leaveOut(Wanted one) {
        unread.add(one);
        TopicPartition named = one.named();
        return named != null && read.remove(named, one) ? Optional.of(named) : Optional.empty();
    }

    /** {@link #fetch} forgets the partition when it fetches the next time. */
    synchronized void forgetLater(TopicPartition partition) {
        forgottenLater.add(partition);
    }
}
