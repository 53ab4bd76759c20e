package io.felice.api.storage;

import java.util.Set;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Keeps logs. An engine knows opaque batches in order and nothing of leaders, groups, transactions or users.
 *
 * <p>Register it as a service with the property {@value #NAME}. The engine outlives the broker bundle: logs stay open
 * across the broker's swap, each under a lease. Methods may block; they are called from pool threads, {@link #traits}
 * and {@link #volume} from any thread.
 */
@ConsumerType
public interface StorageEngine {
    /** The service property that names the engine: what {@code storage.engine} of a topic says. */
    String NAME = "storage.engine";

    /** What this engine promises; the same for as long as the engine lives. */
    Set<EngineTrait> traits();

    /** Where the logs are and how much room there is, as of now. */
    Volume volume();

    /**
     * Says which cluster this engine's logs belong to; called before any log is listed or opened. An engine whose data
     * outlives the process notes the cluster with its data the first time. The default does nothing.
     *
     * @throws io.felice.api.FeliceException INCONSISTENT_CLUSTER_ID if the data belongs to another cluster: nothing has
     *     been changed then, no log of this engine can be opened, and the message tells the operator what to do.
     *     KAFKA_STORAGE_ERROR if the engine cannot tell
     */
    default void belongTo(String clusterId) {}

    /**
     * Opens a log, creating it if it is new; files are made at the first append, not here. Opening a log that is open
     * hands out a new handle to the same log. The log is recovered to its last whole batch.
     *
     * @param lease a number that grows with every owner; a handle with a lower lease than the newest fails all its later
     *     appends, truncations and trims with KAFKA_STORAGE_ERROR, so that a late thread of a swapped broker cannot append
     * @throws io.felice.api.FeliceException KAFKA_STORAGE_ERROR if the log cannot be read; this log only
     */
    PartitionLog open(LogId id, long lease);

    /** Removes a log and its files; open handles of it fail from then on. No log of that id: nothing happens. */
    void delete(LogId id);

    /**
     * Marks a log that the cluster does not know, so that an operator sees it where the logs are kept. The log stays: it is
     * still in {@link #logs}, and {@link #open} gives it as it was and ends the mark. No log of that id, or a log that is
     * marked already: nothing happens. The default does nothing, for engines with no place that an operator looks at.
     *
     * @throws io.felice.api.FeliceException KAFKA_STORAGE_ERROR if it cannot be marked; the log stays as it is
     */
    default void setAside(LogId id) {}

    /**
     * Every log that is there, open, closed or set aside, as found on the volume; names are those the log was created
     * with.
     */
    Set<LogId> logs();
}
