package io.felice.handlers;

import io.felice.api.partition.RepeatedFetch;
import io.felice.api.security.Principal;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The fetch sessions of this node. Their number and their partitions are limited. When the limits are reached, a new
 * session replaces the longest idle session if it was idle for longer than the eviction time. Otherwise it replaces the
 * smallest session that is older than the eviction time and smaller than the new one (Kafka's rules). A client that
 * gets no session sends all its partitions with every fetch. Thread-safe.
 */
final class FetchSessions {
    private final Limits limits;
    private final LongSupplier nowMs;
    private final IntSupplier ids;
    private final Map<Integer, FetchSession> sessions = new ConcurrentHashMap<>();

    /**
     * @param evictionMs how long a session must be idle, or how old a smaller one must be, to be replaced, in
     *     milliseconds
     */
    record Limits(int sessions, int partitions, long evictionMs) {}

    FetchSessions(Limits limits, LongSupplier nowMs, IntSupplier ids) {
        this.limits = limits;
        this.nowMs = nowMs;
        this.ids = ids;
    }

    long nowMs() {
        return nowMs.getAsLong();
    }

    /** Empty also if the session is of another client: its partitions, and their names, are not for this one. */
    Optional<FetchSession> find(int id, Principal client) {
        return Optional.ofNullable(sessions.get(id)).filter(session -> session.isOf(client));
    }

    void remove(int id, Principal client) {
        find(id, client).ifPresent(this::end);
    }

    private void end(FetchSession session) {
        sessions.remove(session.id(), session);
        session.close();
    }

    /** Ends all sessions. */
    void close() {
        sessions.values().forEach(this::end);
    }

    int size() {
        return sessions.size();
    }

    Limits limits() {
        return limits;
    }

    /** The partitions of all sessions together. */
    long partitions() {
        return sessions.values().stream().mapToLong(FetchSession::size).sum();
    }

    /** False if the sessions have more partitions than they may have: the session that has grown must go. */
    boolean mayGrow() {
        return partitions() <= limits.partitions();
    }

    /** Empty if {@code wanted} is empty, or if the limits are reached and no session may be replaced. */
    synchronized Optional<FetchSession> create(List<Wanted> wanted, AskedFetch asked, Supplier<RepeatedFetch> fetch) {
        long now = nowMs();
        if (wanted.isEmpty() || !makeRoom(wanted.size(), now)) {
            return Optional.empty();
        }
        FetchSession session = new FetchSession(freshId(), asked.client(), asked.isById(), wanted, fetch.get(), now);
        sessions.put(session.id(), session);
        return Optional.of(session);
    }

    private boolean makeRoom(int partitions, long now) {
        while (!fits(partitions)) {
            Optional<FetchSession> victim = victim(partitions, now);
            if (victim.isEmpty()) {
                return false;
            }
            end(victim.get());
        }
        return true;
    }

    private boolean fits(int more) {
        return sessions.size() < limits.sessions() && partitions() + more <= limits.partitions();
    }

    private Optional<FetchSession> victim(int partitions, long now) {
        FetchSession idle = null;
        FetchSession small = null;
        for (FetchSession session : sessions.values()) {
            if (idle == null || session.usedMs() < idle.usedMs()) {
                idle = session;
            }
            boolean evictable = now - session.createdMs() > limits.evictionMs() && session.size() < partitions;
            if (evictable && (small == null || session.size() < small.size())) {
                small = session;
            }
        }
        return idle != null && now - idle.usedMs() > limits.evictionMs()
                ? Optional.of(idle)
                : Optional.ofNullable(small);
    }

    private int freshId() {
        int id = ids.getAsInt();
        while (id == 0 || sessions.containsKey(id)) {
            id = ids.getAsInt();
        }
        return id;
    }
}
