package io.felice.broker.partition;

import io.felice.api.RecordBatch;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * What follows from the batches of a log: where each leader epoch begins, and the last sequences of idempotent producers.
 * The opening of a log and the running partition tell it the same news, so that a state that was replayed equals a state
 * that was lived. Changed by the log's writer alone; {@link #epochs} may be read by any thread.
 */
final class ReplayedState {
    private final ProducerLimits limits;
    private final Epochs epochs;
    private Producers producers;
    private volatile int producerCount;

    ReplayedState(List<Epochs.Entry> epochs, Producers producers, ProducerLimits limits) {
        this.epochs = new Epochs(epochs);
        this.producers = producers;
        this.limits = limits;
        this.producerCount = producers.count();
    }

    Epochs epochs() {
        return epochs;
    }

    Producers producers() {
        return producers;
    }

    ProducerLimits limits() {
        return limits;
    }

    /** How many producers are remembered; any thread. */
    int producerCount() {
        return producerCount;
    }

    /** A batch is in the log now; {@code nowMs} in milliseconds. */
    void applied(RecordBatch batch, long nowMs) {
        epochs.begin(batch.leaderEpoch(), batch.baseOffset());
        if (batch.hasProducerId()) {
            producers.appended(batch, nowMs, limits.maxProducers());
            producerCount = producers.count();
        }
    }

    /** The log was cut off at {@code end}; {@code remaining} are the producers of what is left. */
    void truncated(long end, Producers remaining) {
        epochs.truncateTo(end);
        producers = remaining;
        producerCount = producers.count();
    }

    /** The log starts at {@code start} now. Producers of records that are gone are still remembered. */
    void trimmed(long start) {
        epochs.trimTo(start);
    }

    /** Forgets producers that have appended nothing for {@code producer.id.expiration.ms}; {@code nowMs} in milliseconds. */
    void expire(long nowMs) {
        producers.expire(nowMs - limits.producerExpirationMs());
        producerCount = producers.count();
    }

    /** The producers, as a snapshot file has them. */
    ByteBuffer snapshot() {
        return producers.snapshot();
    }
}
