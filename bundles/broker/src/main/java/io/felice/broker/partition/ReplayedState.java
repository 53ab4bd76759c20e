package io.felice.broker.partition;

import io.felice.api.RecordBatch;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * State that is computed from the batches of a log: where each leader epoch begins, and the last sequences of
 * idempotent producers. The opening of a log calls the same methods as the running partition does, so both compute the
 * same state. Only the log's writer changes it; any thread may read {@link #epochs}.
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

    /** A batch was appended; {@code nowMs} in milliseconds. */
    void applied(RecordBatch batch, long nowMs) {
        epochs.begin(batch.leaderEpoch(), batch.baseOffset());
        if (batch.hasProducerId()) {
            int before = producers.count();
            int removed = producers.appended(batch, nowMs, limits.maxProducers(before));
            if (removed > 0) {
                limits.forgot(removed);
            }
            producerCount = producers.count();
        }
    }

    /** The log was truncated to {@code end}; {@code remaining} are the producers of the remaining batches. */
    void truncated(long end, Producers remaining) {
        epochs.truncateTo(end);
        producers = remaining;
        producerCount = producers.count();
    }

    /** Takes over the state of another log with the same records. The other log is not written any more. */
    void takeOver(ReplayedState other) {
        epochs.takeOver(other.epochs);
        producers = other.producers;
        producerCount = producers.count();
    }

    /** Keeps the producers of the removed records. */
    void trimmed(long start) {
        epochs.trimTo(start);
    }

    /** Forgets producers that have appended nothing for {@code producer.id.expiration.ms}; {@code nowMs} in milliseconds. */
    void expire(long nowMs) {
        producers.expire(nowMs - limits.producerExpirationMs());
        producerCount = producers.count();
    }

    ByteBuffer snapshot() {
        return producers.snapshot();
    }
}
