package io.felice.api.storage;

/** A guarantee that an engine gives for all its logs. */
public enum EngineTrait {
    /**
     * {@code append}, {@code settle} and hot reads do not block. The broker may call them on an I/O thread; engines of third
     * parties it calls on threads of the engine all the same.
     */
    APPENDS_WITHOUT_BLOCKING,
    /** Settled records are still in the log after the process was killed. */
    SURVIVES_KILL,
    /** Flushed records are still in the log after the machine lost power. */
    SURVIVES_POWER_LOSS,
    /** The engine implements {@link PartitionLog#replace}. Compaction needs that method. */
    REPLACES_RANGES
}
