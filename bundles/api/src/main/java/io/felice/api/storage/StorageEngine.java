package io.felice.api.storage;

import java.util.Set;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Keeps logs of batches. An engine reads batch headers only; it knows nothing of leaders, groups, transactions or
 * users.
 *
 * <p>Register the engine as a service with the property {@value #NAME}. When the broker bundle is updated, the engine
 * goes on to run and keeps its logs open; the new broker opens them with a higher lease.
 *
 * <p>The name stays with the symbolic name of the bundle while a node has logs in the engine. Another version of the bundle
 * must find these logs. When an engine that hangs is removed, its threads may still run while the next version is there: lock
 * the files against a second instance.
 *
 * <p>Threads: the broker activates the engine and calls the methods on threads of this engine, several at a time; they may
 * block, which holds up partitions of this engine only. A call that takes longer than {@code storage.timeout.ms} is shown to the
 * operator. What the methods throw, and null, is a failure of the partition.
 */
@ConsumerType
public interface StorageEngine {
    /** The service property with the engine's name. The topic config {@code storage.engine} refers to this name. */
    String NAME = "storage.engine";

    /** The guarantees of this engine. They do not change while the engine runs. */
    Set<EngineTrait> traits();

    /** The place of the logs and the free space at this moment. */
    Volume volume();

    /**
     * Assigns this engine's data to a cluster. The broker calls this method before it lists or opens a log. An engine
     * whose data outlives the process stores the cluster id with its data at the first call and compares it at every
     * later call. The default does nothing.
     *
     * @throws io.felice.api.FeliceException INCONSISTENT_CLUSTER_ID if the data belongs to another cluster: the engine
     *     has changed nothing, the broker opens no log of the engine, and the message tells the operator what to do.
     *     KAFKA_STORAGE_ERROR if the engine cannot read or store the cluster id
     */
    default void belongTo(String clusterId) {}

    /**
     * Opens a log and recovers it to its last whole batch. If the log does not exist, it begins empty at offset 0; its
     * files are created at the first append. If the log is open already, the engine returns another handle to the same
     * log.
     *
     * @param lease the number of the broker component that opens the log. The node gives each new broker component a
     *     higher number, for example after an update of its bundle. Appends, rolls, truncations and trims of a handle fail
     *     with KAFKA_STORAGE_ERROR once the log was opened with a higher lease. So a late thread of the former broker
     *     component cannot write
     * @throws io.felice.api.FeliceException KAFKA_STORAGE_ERROR if this log cannot be read. Other logs are not affected
     */
    PartitionLog open(LogId id, long lease);

    /** Deletes a log and its files. Open handles of the log fail from then on. Does nothing if there is no such log. */
    void delete(LogId id);

    /**
     * Marks a log whose topic the cluster does not have, so that an operator can see the mark in the directory of the
     * logs. The log stays in {@link #logs}; {@link #open} opens it with all its records and removes the mark. Does
     * nothing if there is no such log or the log is marked. The default does nothing, for engines without a directory.
     *
     * @throws io.felice.api.FeliceException KAFKA_STORAGE_ERROR if the log cannot be marked; the log is unchanged then
     */
    default void setAside(LogId id) {}

    /**
     * All logs on the volume, whether open, closed or set aside. The topic name in a {@link LogId} is the name with
     * which the log was created.
     */
    Set<LogId> logs();
}
