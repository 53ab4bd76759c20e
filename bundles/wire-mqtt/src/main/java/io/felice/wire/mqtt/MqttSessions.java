package io.felice.wire.mqtt;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.group.Groups;
import io.felice.api.group.Groups.CommittedOffset;
import io.felice.api.group.Groups.OffsetToCommit;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sessions of all clients, and which connection has which. A session that outlives its connection is a record in a
 * compacted topic, and a consumer group with its positions as committed offsets. Any thread.
 */
final class MqttSessions {
    private static final Logger log = LoggerFactory.getLogger(MqttSessions.class);

    private final OwnTopic store;
    private final Groups groups;
    private final Retries retries;
    private final InstantSource clock;
    private final Map<String, MqttSession> sessions = new ConcurrentHashMap<>();
    private final Map<String, MqttConnection> owners = new ConcurrentHashMap<>();
    /** The sessions whose positions were read from the group since the start. */
    private final Map<String, Boolean> positioned = new ConcurrentHashMap<>();

    MqttSessions(OwnTopic store, Groups groups, Retries retries, InstantSource clock) {
        this.store = store;
        this.groups = groups;
        this.retries = retries;
        this.clock = clock;
    }

    /** Reads the stored sessions. Blocks. */
    void load() throws InterruptedException {
        long now = clock.millis();
        store.replay((offset, timestamp, key, value, headers) -> {
            String clientId = StandardCharsets.UTF_8.decode(key).toString();
            if (value == null) {
                sessions.remove(clientId);
            } else {
                keep(clientId, value, now);
            }
            return true;
        });
    }

    private void keep(String clientId, ByteBuffer value, long now) {
        byte[] bytes = new byte[value.remaining()];
        value.get(bytes);
        try {
            sessions.put(clientId, MqttSession.decode(clientId, bytes, now));
        } catch (IllegalArgumentException unreadable) {
            log.warn("A stored session is left out: {}", unreadable.getMessage());
        }
    }

    // ---- connections ----

    /**
     * The connection takes the client id, from another connection if that has it.
     *
     * @return completes when the other connection has let the session go
     */
    CompletionStage<Void> claim(String clientId, MqttConnection by) {
        MqttConnection before = owners.put(clientId, by);
        return before == null ? CompletableFuture.completedFuture(null) : before.takenOver();
    }

    /** True if somebody else is connected with the client id, or has a session that is kept. */
    boolean isOfAnother(String clientId, String owner) {
        MqttConnection connected = owners.get(clientId);
        return (connected != null && !connected.isOf(owner))
                || find(clientId).filter(kept -> !kept.owner().equals(owner)).isPresent();
    }

    boolean has(String clientId, MqttConnection connection) {
        return owners.get(clientId) == connection;
    }

    void release(String clientId, MqttConnection by) {
        owners.remove(clientId, by);
    }

    int connected() {
        return owners.size();
    }

    int stored() {
        return sessions.size();
    }

    // ---- sessions ----

    Optional<MqttSession> find(String clientId) {
        return Optional.ofNullable(sessions.get(clientId)).filter(session -> !session.isExpired(clock.millis()));
    }

    void add(MqttSession session) {
        sessions.put(session.clientId(), session);
        positioned.put(session.clientId(), true);
    }

    /** Reads the positions of a session of before the start from its group. Completes on any thread. */
    CompletionStage<Map<TopicPartition, Long>> positions(MqttSession session) {
        if (positioned.containsKey(session.clientId())) {
            return CompletableFuture.completedFuture(Map.of());
        }
        return retries.of(() -> groups.coordinatorOf(session.group())
                .thenCompose(coordinator -> groups.fetchOffsets(session.group(), Optional.empty(), false))
                .thenApply(fetched -> {
                    if (fetched.error() != ErrorCode.NONE) {
                        throw fetched.error().because("The offsets of group " + session.group() + " cannot be read");
                    }
                    positioned.put(session.clientId(), true);
                    return committed(fetched.offsets());
                }));
    }

    private static Map<TopicPartition, Long> committed(Map<TopicPartition, CommittedOffset> offsets) {
        Map<TopicPartition, Long> committed = new HashMap<>();
        offsets.forEach((partition, offset) -> {
            if (offset.offset() >= 0) {
                committed.put(partition, offset.offset());
            }
        });
        return committed;
    }

    /** Completes when the log has the session. */
    CompletionStage<Void> save(MqttSession session) {
        return store.put(session.clientId(), session.encode(), List.of()).thenAccept(offset -> {});
    }

    /** Commits the positions of a session to its group. */
    CompletionStage<Void> commit(MqttSession session, Map<TopicPartition, Long> positions) {
        Map<TopicPartition, OffsetToCommit> offsets = new HashMap<>();
        positions.forEach((partition, offset) -> offsets.put(partition, new OffsetToCommit(offset, -1, "", -1)));
        return retries.of(() -> groups.coordinatorOf(session.group())
                .thenCompose(coordinator -> groups.commit(session.group(), -1, "", null, offsets))
                .thenAccept(errors -> errors.forEach((partition, error) -> {
                    if (error != ErrorCode.NONE) {
                        throw error.because(
                                "The position of " + session.clientId() + " in " + partition + " is not committed");
                    }
                })));
    }

    /** Forgets a session, with its group. Completes when the log has no session any more; what was not stored is gone at once. */
    CompletionStage<Void> delete(MqttSession session, boolean wasStored) {
        sessions.remove(session.clientId(), session);
        positioned.remove(session.clientId());
        if (!wasStored) {
            return CompletableFuture.completedFuture(null);
        }
        return store.put(session.clientId(), null, List.of())
                .thenCompose(offset -> groups.delete(session.group()))
                .thenAccept(error -> log.debug("Group {} is deleted: {}", session.group(), error));
    }

    /** Deletes the sessions whose clients have not come back in time. */
    void expire() {
        long now = clock.millis();
        for (MqttSession session : sessions.values()) {
            if (session.isExpired(now) && !owners.containsKey(session.clientId())) {
                delete(session, true).whenComplete((done, failure) -> {
                    if (failure != null) {
                        log.warn(
                                "The expired session of {} is not deleted: {}", session.clientId(), failure.toString());
                        sessions.putIfAbsent(session.clientId(), session);
                    }
                });
            }
        }
    }
}
