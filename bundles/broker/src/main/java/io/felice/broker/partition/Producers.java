package io.felice.broker.partition;

import static io.felice.api.ErrorCode.INVALID_PRODUCER_EPOCH;
import static io.felice.api.ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER;

import io.felice.api.RecordBatch;
import io.felice.api.partition.Partition.KnownProducer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The sequence numbers of a partition's idempotent producers: the last five batches of each. Used by the log's writer only,
 * except {@link #count}.
 *
 * <p>A snapshot is a file of Kafka's format. Kafka writes one entry per producer. This class writes one entry per remembered
 * batch, oldest first: Kafka's reader keeps the newest entry of a producer, and this class reads all of them:
 * <pre>
 *  byte 0  version                int16   1
 *       2  crc                    uint32  CRC-32C of everything from byte 6 on
 *       6  entries                int32
 *      10  producerId             int64   the first entry; each has 46 bytes
 *      18  producerEpoch          int16
 *      20  lastSequence           int32
 *      24  lastOffset             int64
 *      32  offsetDelta            int32
 *      36  timestamp              int64   milliseconds, when it was appended
 *      44  coordinatorEpoch       int32   -1
 *      48  currentTxnFirstOffset  int64   -1
 * </pre>
 */
public final class Producers {
    static final int REMEMBERED_BATCHES = 5;

    private static final short SNAPSHOT_VERSION = 1;
    private static final int CRC_AT = 2;
    private static final int ENTRIES_AT = 6;
    private static final int HEADER_BYTES = 10;
    private static final int ENTRY_BYTES = 46;
    private static final int NONE = -1;

    /** An appended batch; {@code timestamp} is the time of the append, in milliseconds. */
    record Remembered(int lastSequence, long lastOffset, int offsetDelta, long timestamp) {
        long baseOffset() {
            return lastOffset - offsetDelta;
        }

        int baseSequence() {
            return (int) ((lastSequence - (long) offsetDelta) & Integer.MAX_VALUE);
        }
    }

    private static final class Producer {
        private final Remembered[] ring = new Remembered[REMEMBERED_BATCHES];
        private short epoch;
        private int count;

        Producer(short epoch) {
            this.epoch = epoch;
        }

        void add(short batchEpoch, Remembered batch) {
            if (batchEpoch != epoch) {
                epoch = batchEpoch;
                count = 0;
            }
            if (count == ring.length) {
                System.arraycopy(ring, 1, ring, 0, ring.length - 1);
                count--;
            }
            ring[count++] = batch;
        }

        Remembered newest() {
            return ring[count - 1];
        }

        Optional<Remembered> same(RecordBatch batch) {
            for (int i = 0; i < count; i++) {
                if (ring[i].lastSequence() == batch.lastSequence() && ring[i].baseSequence() == batch.baseSequence()) {
                    return Optional.of(ring[i]);
                }
            }
            return Optional.empty();
        }
    }

    /** In order of use: the producer that has been idle for longest comes first. */
    private final Map<Long, Producer> producers = new LinkedHashMap<>(16, 0.75f, true);

    private volatile int count;

    public int count() {
        return count;
    }

    /**
     * Checks that a batch has the next sequence of its producer.
     *
     * @return the remembered batch if this one is its duplicate
     * @throws io.felice.api.FeliceException INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER
     */
    Optional<Remembered> check(RecordBatch batch) {
        Producer producer = producers.get(batch.producerId());
        if (producer == null) {
            return Optional.empty();
        }
        if (batch.producerEpoch() < producer.epoch) {
            throw INVALID_PRODUCER_EPOCH.because("Producer " + batch.producerId() + " is in epoch " + producer.epoch
                    + ", the batch is of epoch " + batch.producerEpoch());
        }
        if (batch.producerEpoch() > producer.epoch) {
            if (batch.baseSequence() != 0) {
                throw OUT_OF_ORDER_SEQUENCE_NUMBER.because("Epoch " + batch.producerEpoch() + " of producer "
                        + batch.producerId() + " must begin with sequence 0, not " + batch.baseSequence());
            }
            return Optional.empty();
        }
        Optional<Remembered> duplicate = producer.same(batch);
        if (duplicate.isEmpty()) {
            mustFollow(producer.newest(), batch);
        }
        return duplicate;
    }

    private static void mustFollow(Remembered newest, RecordBatch batch) {
        int next = newest.lastSequence() == Integer.MAX_VALUE ? 0 : newest.lastSequence() + 1;
        if (batch.baseSequence() != next) {
            throw OUT_OF_ORDER_SEQUENCE_NUMBER.because("Producer " + batch.producerId() + " appended sequence "
                    + newest.lastSequence() + " last; the batch begins with sequence " + batch.baseSequence());
        }
    }

    /**
     * If there are more than {@code most} producers, removes those that are idle for longest.
     *
     * @param now milliseconds since the epoch
     * @return how many were removed
     */
    public int appended(RecordBatch batch, long now, int most) {
        if (batch.isControl()) {
            return 0;
        }
        remember(
                batch.producerId(),
                batch.producerEpoch(),
                new Remembered(batch.lastSequence(), batch.lastOffset(), batch.lastOffsetDelta(), now));
        int tooMany = Math.max(0, producers.size() - most);
        if (tooMany > 0) {
            Iterator<Producer> idle = producers.values().iterator();
            for (int i = 0; i < tooMany; i++) {
                idle.next();
                idle.remove();
            }
        }
        count = producers.size();
        return tooMany;
    }

    private void remember(long producerId, short epoch, Remembered batch) {
        Producer producer = producers.get(producerId);
        if (producer == null) {
            producer = new Producer(epoch);
            producers.put(producerId, producer);
        }
        producer.add(epoch, batch);
    }

    List<KnownProducer> known() {
        List<KnownProducer> known = new ArrayList<>(producers.size());
        producers.forEach((id, producer) -> known.add(new KnownProducer(
                id,
                producer.epoch,
                producer.newest().lastSequence(),
                producer.newest().timestamp())));
        return known;
    }

    /** By producer id. */
    Map<Long, Long> lastOffsets() {
        Map<Long, Long> lastOffsets = new HashMap<>();
        producers.forEach(
                (id, producer) -> lastOffsets.put(id, producer.newest().lastOffset()));
        return lastOffsets;
    }

    /** Removes the producers whose last append was before {@code deadline}, in milliseconds since the epoch. */
    void expire(long deadline) {
        producers.values().removeIf(producer -> producer.newest().timestamp() < deadline);
        count = producers.size();
    }

    public ByteBuffer snapshot() {
        int entries = producers.values().stream().mapToInt(p -> p.count).sum();
        ByteBuffer bytes = ByteBuffer.allocate(HEADER_BYTES + entries * ENTRY_BYTES);
        bytes.putShort(SNAPSHOT_VERSION).putInt(0).putInt(entries);
        producers.forEach((id, producer) -> {
            for (int i = 0; i < producer.count; i++) {
                Remembered batch = producer.ring[i];
                bytes.putLong(id).putShort(producer.epoch);
                bytes.putInt(batch.lastSequence())
                        .putLong(batch.lastOffset())
                        .putInt(batch.offsetDelta())
                        .putLong(batch.timestamp());
                bytes.putInt(NONE).putLong(NONE);
            }
        });
        bytes.flip();
        bytes.putInt(CRC_AT, crcOf(bytes));
        return bytes;
    }

    /**
     * Reads a snapshot file of this class or of Kafka.
     *
     * @throws IllegalArgumentException if it is damaged
     */
    static Producers of(ByteBuffer snapshot) {
        if (snapshot.remaining() < HEADER_BYTES
                || snapshot.getShort(0) != SNAPSHOT_VERSION
                || snapshot.getInt(CRC_AT) != crcOf(snapshot)) {
            throw new IllegalArgumentException("not a producer snapshot of version " + SNAPSHOT_VERSION);
        }
        Producers producers = new Producers();
        ByteBuffer in = snapshot.duplicate().position(ENTRIES_AT);
        for (int left = in.getInt(); left > 0; left--) {
            long id = in.getLong();
            short epoch = in.getShort();
            int lastSequence = in.getInt();
            long lastOffset = in.getLong();
            int offsetDelta = in.getInt();
            long timestamp = in.getLong();
            in.getInt();
            in.getLong();
            producers.remember(id, epoch, new Remembered(lastSequence, lastOffset, offsetDelta, timestamp));
        }
        producers.count = producers.producers.size();
        return producers;
    }

    private static int crcOf(ByteBuffer snapshot) {
        CRC32C crc = new CRC32C();
        crc.update(snapshot.duplicate().position(ENTRIES_AT));
        return (int) crc.getValue();
    }
}
