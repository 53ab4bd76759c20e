package io.felice.wire.mqtt;

import io.felice.api.TopicPartition;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What the broker keeps for a client: its subscriptions, and how far it has read. The connection that owns the session
 * uses it on its I/O thread; other threads read the subscriptions only.
 */
final class MqttSession {
    private static final int FORMAT = 1;

    /** How far a partition is delivered. */
    static final class Position {
        /** The next offset to read. */
        long next;
        /** The offsets that are not acknowledged, with the packet id of each; 0 if it was not sent. */
        final TreeMap<Long, Integer> open = new TreeMap<>();
        /** What was open when the client left. */
        Map<Long, Integer> again = Map.of();
        /** Below this offset only what is in {@link #again} is delivered. */
        long againBelow;

        Position(long next) {
            this.next = next;
        }

        /** The offset below which everything is acknowledged. */
        long acknowledged() {
            return open.isEmpty() ? next : Math.min(next, open.firstKey());
        }

        /** A new connection begins with what the old one has left open. */
        void restart() {
            againBelow = Math.max(next, againBelow);
            again = Map.copyOf(open);
            next = acknowledged();
            open.clear();
        }

        boolean isWanted(long offset) {
            return offset >= againBelow || again.containsKey(offset);
        }

        /** The packet id with which the message was sent before; 0 if it was not sent. */
        int packetIdBefore(long offset) {
            return offset < againBelow ? again.getOrDefault(offset, 0) : 0;
        }
    }

    private final String clientId;
    private final String owner;
    private final Map<TopicPartition, Position> positions = new LinkedHashMap<>();
    private volatile Map<String, MqttSubscription> subscriptions = Map.of();
    private long expirySeconds;
    /** When the client has gone, in milliseconds since the epoch; 0 while it is connected. */
    private volatile long leftAt;

    /** @param owner the principal whose session it is */
    MqttSession(String clientId, String owner, long expirySeconds) {
        this.clientId = clientId;
        this.owner = owner;
        this.expirySeconds = expirySeconds;
    }

    String clientId() {
        return clientId;
    }

    String owner() {
        return owner;
    }

    /** The consumer group with the session's positions. */
    String group() {
        return group(clientId);
    }

    static String group(String clientId) {
        return "mqtt-" + clientId;
    }

    Map<TopicPartition, Position> positions() {
        return positions;
    }

    Map<String, MqttSubscription> subscriptions() {
        return subscriptions;
    }

    /** The Kafka topics with the messages that the session has subscribed to. */
    Set<String> kafkaTopics(TopicMap topics) {
        Set<String> needed = new LinkedHashSet<>();
        subscriptions.values().forEach(subscription -> needed.addAll(topics.kafkaTopics(subscription.filter())));
        return needed;
    }

    /** Begins at the committed offsets of the topics that the session needs, unless it has positions already. */
    void restore(Map<TopicPartition, Long> committed, TopicMap topics) {
        Set<String> needed = kafkaTopics(topics);
        committed.forEach((partition, offset) -> {
            if (needed.contains(partition.topic())) {
                positions.putIfAbsent(partition, new Position(offset));
            }
        });
    }

    void subscribe(MqttSubscription subscription) {
        Map<String, MqttSubscription> changed = new LinkedHashMap<>(subscriptions);
        changed.put(subscription.filter().text(), subscription);
        subscriptions = changed;
    }

    /** @return false if there was no such subscription */
    boolean unsubscribe(String filter) {
        Map<String, MqttSubscription> changed = new LinkedHashMap<>(subscriptions);
        boolean removed = changed.remove(filter) != null;
        subscriptions = changed;
        return removed;
    }

    boolean isPersistent() {
        return expirySeconds > 0;
    }

    long expirySeconds() {
        return expirySeconds;
    }

    void expireAfter(long seconds) {
        expirySeconds = seconds;
    }

    void leave(long now) {
        leftAt = now;
    }

    void enter() {
        leftAt = 0;
    }

    boolean isExpired(long now) {
        long left = leftAt;
        return left != 0 && now - left > expirySeconds * 1000;
    }

    // ---- the record of a session, without its positions, which are committed offsets ----

    byte[] encode() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(FORMAT);
            out.writeUTF(owner);
            out.writeLong(expirySeconds);
            out.writeLong(leftAt);
            out.writeInt(subscriptions.size());
            for (MqttSubscription subscription : subscriptions.values()) {
                out.writeUTF(subscription.filter().text());
                out.writeByte(subscription.qos());
                out.writeBoolean(subscription.isNoLocal());
                out.writeBoolean(subscription.keepsRetain());
                out.writeInt(subscription.identifier());
            }
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
        return bytes.toByteArray();
    }

    /** @throws IllegalArgumentException if the bytes are no session */
    static MqttSession decode(String clientId, byte[] bytes, long now) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            if (in.readByte() != FORMAT) {
                throw new IllegalArgumentException("the session of " + clientId + " has an unknown format");
            }
            MqttSession session = new MqttSession(clientId, in.readUTF(), in.readLong());
            long leftAt = in.readLong();
            session.leftAt = leftAt == 0 ? now : leftAt;
            for (int left = in.readInt(); left > 0; left--) {
                session.subscribe(new MqttSubscription(
                        TopicFilter.parse(in.readUTF()),
                        in.readByte(),
                        in.readBoolean(),
                        in.readBoolean(),
                        in.readInt()));
            }
            return session;
        } catch (IOException cut) {
            throw new IllegalArgumentException("the session of " + clientId + " is cut off", cut);
        }
    }
}
