package io.felice.wire.mqtt;

import io.felice.api.TopicPartition;
import io.felice.wire.mqtt.MqttSession.Position;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The messages on their way to one client. They wait in a queue of limited size while the client does not acknowledge or
 * not read; then nothing more is read for the client. I/O thread of the connection.
 */
final class Deliveries {
    /** The most bytes that wait; one reading may add as much. */
    static final int MOST_WAITING_BYTES = 256 * 1024;

    private static final int LARGEST_PACKET_ID = 65_535;

    /**
     * A message for the client.
     *
     * @param partition null for a retained message
     * @param qos that of the delivery
     * @param retain the flag of the delivery
     * @param subscriptions the identifiers of the subscriptions that match
     */
    record Delivery(
            TopicPartition partition,
            long offset,
            Publication publication,
            int qos,
            boolean retain,
            List<Integer> subscriptions) {
        int size() {
            return publication.payload().length + publication.topic().length();
        }
    }

    /** Sends a message. */
    interface Sender {
        boolean isFull();

        /** @param packetId 0 with QoS 0 */
        void send(Delivery delivery, int packetId, boolean isAgain);
    }

    private final MqttSession session;
    private final int receiveMaximum;
    private final Sender sender;
    private final ArrayDeque<Delivery> waiting = new ArrayDeque<>();
    private final Map<Integer, Delivery> inFlight = new LinkedHashMap<>();
    /** Packet ids of messages that the client has got before and that are not read again yet. */
    private final Set<Integer> reserved = new HashSet<>();

    private final Map<TopicPartition, Long> committed = new HashMap<>();
    private long waitingBytes;
    private int lastPacketId;

    Deliveries(MqttSession session, int receiveMaximum, Sender sender) {
        this.session = session;
        this.receiveMaximum = receiveMaximum;
        this.sender = sender;
        for (Position position : session.positions().values()) {
            position.restart();
            position.again.values().stream().filter(id -> id != 0).forEach(reserved::add);
        }
    }

    boolean hasRoom() {
        return waitingBytes < MOST_WAITING_BYTES && !sender.isFull();
    }

    int inFlight() {
        return inFlight.size();
    }

    void add(Delivery delivery) {
        Position position = position(delivery);
        if (position != null) {
            position.open.put(delivery.offset, position.packetIdBefore(delivery.offset));
        }
        waiting.add(delivery);
        waitingBytes += delivery.size();
    }

    private Position position(Delivery delivery) {
        return delivery.partition == null ? null : session.positions().get(delivery.partition);
    }

    /** Sends what may be sent. */
    void pump() {
        while (!waiting.isEmpty() && !sender.isFull()) {
            Delivery next = waiting.peek();
            if (next.qos > 0 && inFlight.size() >= receiveMaximum) {
                return;
            }
            waiting.poll();
            waitingBytes -= next.size();
            if (next.qos == 0) {
                sender.send(next, 0, false);
                done(next);
            } else {
                sendReliably(next);
            }
        }
    }

    private void sendReliably(Delivery next) {
        Position position = position(next);
        int before = position == null ? 0 : position.packetIdBefore(next.offset);
        int packetId = before != 0 ? before : freePacketId();
        reserved.remove(packetId);
        inFlight.put(packetId, next);
        if (position != null) {
            position.open.put(next.offset, packetId);
        }
        sender.send(next, packetId, before != 0);
    }

    private int freePacketId() {
        do {
            lastPacketId = lastPacketId == LARGEST_PACKET_ID ? 1 : lastPacketId + 1;
        } while (inFlight.containsKey(lastPacketId) || reserved.contains(lastPacketId));
        return lastPacketId;
    }

    /** The client has the message. @return false if no message has this packet id */
    boolean acknowledged(int packetId) {
        Delivery delivery = inFlight.remove(packetId);
        if (delivery == null) {
            return false;
        }
        done(delivery);
        return true;
    }

    private void done(Delivery delivery) {
        Position position = position(delivery);
        if (position != null) {
            position.open.remove(delivery.offset);
        }
    }

    /** Forgets what waits for partitions that no subscription needs any more. */
    void drop(Set<TopicPartition> partitions) {
        for (Iterator<Delivery> all = waiting.iterator(); all.hasNext(); ) {
            Delivery delivery = all.next();
            if (delivery.partition != null && partitions.contains(delivery.partition)) {
                waitingBytes -= delivery.size();
                all.remove();
            }
        }
        partitions.forEach(committed::remove);
    }

    /** The positions that have moved since the last call. */
    Map<TopicPartition, Long> moved() {
        Map<TopicPartition, Long> moved = new HashMap<>();
        session.positions().forEach((partition, position) -> {
            long now = position.acknowledged();
            Long before = committed.put(partition, now);
            if (before == null || before != now) {
                moved.put(partition, now);
            }
        });
        return moved;
    }

    /** The commit failed: {@link #moved} has all positions the next time. */
    void forgetCommitted() {
        committed.clear();
    }
}
