package io.felice.api.storage;

/** Something that an engine promises for all its logs. */
public enum EngineTrait {
    /** {@code append}, {@code settle} and hot reads do not block: they may run on an I/O thread. */
    APPENDS_WITHOUT_BLOCKING,
    /** Settled records are still there after the process was killed. */
    SURVIVES_KILL,
    /** Flushed records are still there after the machine lost power. */
    SURVIVES_POWER_LOSS,
    /** {@link PartitionLog#replace} works. Compaction needs it. */
    REPLACES_RANGES
}
