package io.felice.wire.mqtt;

import io.felice.api.ErrorCode;
import io.felice.api.RecordBatch;
import io.felice.api.RecordHeader;
import io.felice.api.TopicPartition;
import io.felice.api.partition.FetchPlan;
import io.felice.api.partition.FetchedPartition;
import io.felice.api.security.Requester;
import io.felice.records.Batches;
import io.felice.records.RecordReader;
import io.felice.wire.mqtt.Deliveries.Delivery;
import io.felice.wire.mqtt.MqttSession.Position;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads one Kafka topic for one session: one fetch at a time, from the session's positions, as long as the deliveries
 * have room. The records are read by a thread that may block. The rest is done on the I/O thread of the connection.
 */
final class TopicReading {
    private static final Logger log = LoggerFactory.getLogger(TopicReading.class);

    private static final int FETCH_BYTES = 64 * 1024;
    private static final Duration MOST_WAIT = Duration.ofSeconds(5);

    private final String kafkaTopic;
    private final MqttServices services;
    private final MqttSession session;
    private final Deliveries deliveries;
    private final Requester requester;
    private final Consumer<Runnable> ioThread;
    private boolean busy;
    private boolean ended;

    TopicReading(
            String kafkaTopic,
            MqttServices services,
            MqttSession session,
            Deliveries deliveries,
            Requester requester,
            Consumer<Runnable> ioThread) {
        this.kafkaTopic = kafkaTopic;
        this.services = services;
        this.session = session;
        this.deliveries = deliveries;
        this.requester = requester;
        this.ioThread = ioThread;
    }

    /** What a fetch has brought. */
    private record Read(List<Delivery> deliveries, Map<TopicPartition, Long> next, boolean failed) {}

    /** Reads on, if it does not read already and there is room. */
    void read() {
        if (busy || ended || !deliveries.hasRoom()) {
            return;
        }
        List<FetchPlan.Want> wants = wants();
        if (wants.isEmpty()) {
            return;
        }
        busy = true;
        services.rights().mayRead(requester, kafkaTopic).whenComplete((allowed, failure) -> {
            if (failure == null && allowed) {
                fetch(wants);
            } else {
                ioThread.accept(this::pause);
            }
        });
    }

    private List<FetchPlan.Want> wants() {
        List<FetchPlan.Want> wants = new ArrayList<>();
        int partitions = services.topics().partitions(kafkaTopic);
        for (int number = 0; number < partitions; number++) {
            TopicPartition partition = new TopicPartition(kafkaTopic, number);
            // A partition that was added is read from its beginning.
            Position position = session.positions().computeIfAbsent(partition, added -> new Position(0));
            wants.add(new FetchPlan.Want(partition, position.next, FETCH_BYTES, -1, -1));
        }
        return wants;
    }

    private void fetch(List<FetchPlan.Want> wants) {
        Map<TopicPartition, Long> from = new HashMap<>();
        wants.forEach(want -> from.put(want.partition(), want.offset()));
        fetched(new FetchPlan(wants, 1, FETCH_BYTES, MOST_WAIT, true)).whenComplete((fetched, failure) -> {
            if (failure == null) {
                readLater(fetched, from);
            } else {
                ioThread.accept(this::pause);
            }
        });
    }

    private CompletionStage<List<FetchedPartition>> fetched(FetchPlan plan) {
        try {
            return services.partitions().fetch(plan);
        } catch (RuntimeException failure) {
            return CompletableFuture.failedFuture(failure);
        }
    }

    private void readLater(List<FetchedPartition> fetched, Map<TopicPartition, Long> from) {
        try {
            services.workers().execute(() -> {
                try {
                    Read read = read(fetched, from);
                    ioThread.accept(() -> took(read));
                } catch (Throwable unreadable) {
                    log.warn(
                            "Records of {} are not delivered to MQTT client {}",
                            kafkaTopic,
                            session.clientId(),
                            unreadable);
                    ioThread.accept(this::pause);
                } finally {
                    close(fetched);
                }
            });
        } catch (RejectedExecutionException stopped) {
            close(fetched);
        }
    }

    private static void close(List<FetchedPartition> fetched) {
        fetched.forEach(partition -> partition.records().close());
    }

    // ---- a thread that may block ----

    private Read read(List<FetchedPartition> fetched, Map<TopicPartition, Long> from) {
        Read read = new Read(new ArrayList<>(), new HashMap<>(), false);
        int[] room = {Deliveries.MOST_WAITING_BYTES};
        boolean failed = false;
        for (FetchedPartition partition : fetched) {
            if (partition.error() == ErrorCode.OFFSET_OUT_OF_RANGE) {
                reset(partition.partition(), from.get(partition.partition()), read);
            } else if (partition.error() != ErrorCode.NONE) {
                failed = true;
            } else if (room[0] > 0) {
                long next = read(partition, from.get(partition.partition()), read.deliveries, room);
                read.next.put(partition.partition(), next);
            }
        }
        return new Read(read.deliveries, read.next, failed);
    }

    /** Retention has deleted the records, or the log is shorter than it was. */
    private void reset(TopicPartition partition, long from, Read read) {
        var leader = services.partitions().leader(partition);
        read.next.put(partition, from < leader.logStartOffset() ? leader.logStartOffset() : leader.highWatermark());
    }

    private long read(FetchedPartition fetched, long from, List<Delivery> to, int[] room) {
        long next = from;
        for (ByteBuffer bytes : RecordBytes.of(fetched.records())) {
            for (RecordBatch batch : Batches.split(bytes.duplicate())) {
                long[] last = {-1};
                boolean whole = batch.isControl()
                        || RecordReader.readWithHeaders(batch, (offset, timestamp, key, value, headers) -> {
                            if (offset >= from) {
                                deliver(fetched.partition(), offset, key, value, headers)
                                        .ifPresent(delivery -> {
                                            to.add(delivery);
                                            room[0] -= delivery.size();
                                        });
                                last[0] = offset;
                            }
                            return room[0] > 0;
                        });
                if (!whole) {
                    return last[0] + 1;
                }
                next = Math.max(next, batch.nextOffset());
            }
        }
        return Math.max(next, fetched.records().nextOffset());
    }

    private Optional<Delivery> deliver(
            TopicPartition partition, long offset, ByteBuffer key, ByteBuffer value, List<RecordHeader> headers) {
        Optional<String> topic = services.settings().topics().mqttTopic(kafkaTopic, key);
        if (topic.isEmpty()
                || MessageHeaders.isExpired(headers, services.clock().millis())) {
            return Optional.empty();
        }
        int granted = -1;
        boolean retain = false;
        List<Integer> identifiers = new ArrayList<>(1);
        for (MqttSubscription subscription : session.subscriptions().values()) {
            if (!subscription.filter().matches(topic.get()) || isOwn(subscription, headers)) {
                continue;
            }
            granted = Math.max(granted, subscription.qos());
            retain |= subscription.keepsRetain() && MessageHeaders.isRetained(headers);
            if (subscription.identifier() != 0) {
                identifiers.add(subscription.identifier());
            }
        }
        if (granted < 0) {
            return Optional.empty();
        }
        int qos = MessageHeaders.qos(headers);
        Publication publication = new Publication(topic.get(), bytes(value), qos, retain, headers);
        return Optional.of(new Delivery(partition, offset, publication, Math.min(granted, qos), retain, identifiers));
    }

    private boolean isOwn(MqttSubscription subscription, List<RecordHeader> headers) {
        return subscription.isNoLocal()
                && MessageHeaders.client(headers)
                        .filter(session.clientId()::equals)
                        .isPresent();
    }

    private static byte[] bytes(ByteBuffer value) {
        byte[] bytes = new byte[value == null ? 0 : value.remaining()];
        if (value != null) {
            value.duplicate().get(bytes);
        }
        return bytes;
    }

    // ---- the I/O thread ----

    private void took(Read read) {
        busy = false;
        if (ended) {
            return;
        }
        for (Delivery delivery : read.deliveries) {
            Position position = session.positions().get(delivery.partition());
            if (position != null && position.isWanted(delivery.offset())) {
                deliveries.add(delivery);
            }
        }
        read.next.forEach((partition, next) -> session.positions().computeIfPresent(partition, (same, position) -> {
            position.next = next;
            return position;
        }));
        deliveries.pump();
        if (!read.failed) {
            read();
        }
    }

    /** The fetch failed, or is not allowed now. {@link #read} is called again by the connection's timer. */
    private void pause() {
        busy = false;
    }

    /** Nothing that is still read is delivered. */
    void end() {
        ended = true;
    }
}
