package io.felice.coordinator;

import io.felice.api.group.Groups.Join;
import io.felice.api.group.Groups.Joined;
import io.felice.api.group.Groups.Protocol;
import io.felice.api.group.Groups.Synced;
import io.felice.coordinator.OffsetsRecord.StoredMember;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A member of a group. Changed on the shard's executor only, except {@link #seen}, which heartbeats call on any thread. */
final class Member {
    static final byte[] NOTHING = {};

    private final String id;
    private final String groupInstanceId;
    private final String clientId;
    private final String clientHost;
    private int sessionTimeoutMs;
    private int rebalanceTimeoutMs;
    private List<Protocol> protocols;
    private byte[] assignment = NOTHING;
    private boolean joiningFirst;
    private CompletableFuture<Joined> joining;
    private CompletableFuture<Synced> syncing;
    private ShardTimers.Deadline expiry;
    private volatile long lastSeenMs;

    Member(String id, Join join) {
        this.id = id;
        this.groupInstanceId = join.groupInstanceId();
        this.clientId = orEmpty(join.clientId());
        this.clientHost = orEmpty(join.clientHost());
        update(join);
    }

    Member(StoredMember stored, String protocol) {
        this.id = stored.memberId();
        this.groupInstanceId = stored.groupInstanceId();
        this.clientId = stored.clientId();
        this.clientHost = stored.clientHost();
        this.sessionTimeoutMs = stored.sessionTimeoutMs();
        this.rebalanceTimeoutMs = stored.rebalanceTimeoutMs();
        this.protocols = protocol == null ? List.of() : List.of(new Protocol(protocol, stored.subscription()));
        this.assignment = stored.assignment();
    }

    void update(Join join) {
        sessionTimeoutMs = Math.toIntExact(join.sessionTimeout().toMillis());
        long rebalance = Math.min(join.rebalanceTimeout().toMillis(), Integer.MAX_VALUE);
        rebalanceTimeoutMs = rebalance < 0 ? sessionTimeoutMs : (int) rebalance;
        protocols = join.protocols();
    }

    static String orEmpty(String text) {
        return text == null ? "" : text;
    }

    String id() {
        return id;
    }

    String groupInstanceId() {
        return groupInstanceId;
    }

    boolean isStatic() {
        return groupInstanceId != null;
    }

    String clientId() {
        return clientId;
    }

    String clientHost() {
        return clientHost;
    }

    int sessionTimeoutMs() {
        return sessionTimeoutMs;
    }

    int rebalanceTimeoutMs() {
        return rebalanceTimeoutMs;
    }

    List<Protocol> protocols() {
        return protocols;
    }

    byte[] assignment() {
        return assignment;
    }

    void assign(byte[] newAssignment) {
        assignment = newAssignment;
    }

    /** The metadata that the member sent for this protocol; no bytes if the member does not support the protocol. */
    byte[] metadata(String protocol) {
        for (Protocol known : protocols) {
            if (known.name().equals(protocol)) {
                return known.metadata();
            }
        }
        return NOTHING;
    }

    long metadataBytes() {
        return bytesOf(protocols);
    }

    static long bytesOf(List<Protocol> protocols) {
        long bytes = 0;
        for (Protocol protocol : protocols) {
            bytes += protocol.metadata().length;
        }
        return bytes;
    }

    /** Whether the member's last join request had the same protocols, with the same metadata and in the same order. */
    boolean hasProtocols(List<Protocol> others) {
        if (protocols.size() != others.size()) {
            return false;
        }
        for (int i = 0; i < others.size(); i++) {
            Protocol mine = protocols.get(i);
            Protocol other = others.get(i);
            if (!mine.name().equals(other.name()) || !Arrays.equals(mine.metadata(), other.metadata())) {
                return false;
            }
        }
        return true;
    }

    /** True until the member's first rebalance ends; until then it sends no heartbeats. */
    boolean isJoiningFirst() {
        return joiningFirst;
    }

    void joiningFirst(boolean first) {
        joiningFirst = first;
    }

    boolean isJoining() {
        return joining != null;
    }

    CompletableFuture<Joined> joining() {
        return joining;
    }

    void joining(CompletableFuture<Joined> answer) {
        joining = answer;
    }

    CompletableFuture<Synced> syncing() {
        return syncing;
    }

    void syncing(CompletableFuture<Synced> answer) {
        syncing = answer;
    }

    /** From any thread. */
    void seen(long nowMs) {
        lastSeenMs = nowMs;
    }

    long lastSeenMs() {
        return lastSeenMs;
    }

    void expiry(ShardTimers.Deadline next) {
        if (expiry != null) {
            expiry.cancel();
        }
        expiry = next;
    }
}
