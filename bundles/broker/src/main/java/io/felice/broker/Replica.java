package io.felice.broker;

import io.felice.api.TopicPartition;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.TopicConfig;
import io.felice.api.storage.LogId;

/** A partition that has a replica here, and what is being done about it. Changed on the broker's thread only. */
final class Replica {
    /** What is with the log. */
    enum Status {
        /** Nothing to do: another broker leads. */
        IDLE,
        OPENING,
        LEADING,
        CLOSING,
        /** The log failed or cannot be opened; tried again later. */
        OFFLINE,
        /** The engine that keeps the log is not here. */
        NO_ENGINE
    }

    final LogId id;
    final TopicPartition partition;

    volatile PartitionState wanted;
    volatile Status status = Status.IDLE;
    volatile LeaderPartition current;
    volatile Openings.Opening opening;
    volatile String engine;
    volatile String failure;

    TopicConfig config;
    boolean deleted;
    int failures;
    long offlineSince;

    Replica(LogId id, PartitionState wanted) {
        this.id = id;
        this.partition = new TopicPartition(id.topic(), id.partition());
        this.wanted = wanted;
    }

    /** True while something is under way that ends by looking at the replica again. */
    boolean isBusy() {
        return status == Status.OPENING || status == Status.CLOSING;
    }
}
