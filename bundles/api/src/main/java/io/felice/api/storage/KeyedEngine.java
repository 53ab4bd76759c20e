package io.felice.api.storage;

import static io.felice.api.ErrorCode.INCONSISTENT_CLUSTER_ID;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.FeliceException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * The base of a storage engine that keeps each batch as a value under a number. A subclass says where the values are; this
 * class makes logs of them: it cares for leases, segments, trims, truncations and the cluster's id.
 *
 * <p>It is the short way to an engine, for stores that have keys and values. It keeps the offsets of all batches of an
 * opened log in memory, reads each batch of a log when it opens it, and lets reads of a log wait for its appends. An engine
 * for which that is too slow implements {@link StorageEngine} itself.
 *
 * <p>Threads: as {@link StorageEngine}. The subclass's methods are called by several threads at once, for each store by
 * one at a time.
 */
@ConsumerType
public abstract class KeyedEngine implements StorageEngine {
    /** The name of the store with the id of the cluster, under the number 0. */
    private static final String CLUSTER = "cluster";

    private static final int UUID_LENGTH = 36;

    private final Map<LogId, KeyedLog> opened = new ConcurrentHashMap<>();
    private volatile String refusal;

    /** For subclasses. Does no I/O. */
    protected KeyedEngine() {}

    /**
     * The store of this name; an empty one if there is none.
     *
     * @param name at most 50 letters, digits and dashes
     */
    protected abstract BatchStore store(String name) throws IOException;

    /** The names of all stores that have a value. Names of empty stores, and other names, are ignored. */
    protected abstract Set<String> names() throws IOException;

    /** Engines whose data survives a kill keep the id; those of others belong to any cluster. */
    @Override
    public final synchronized void belongTo(String clusterId) {
        if (!traits().contains(EngineTrait.SURVIVES_KILL)) {
            return;
        }
        try {
            BatchStore store = store(CLUSTER);
            ByteBuffer known = store.get(0);
            if (known == null) {
                store.put(0, ByteBuffer.wrap(clusterId.getBytes(UTF_8)));
                store.sync();
            }
            String owner =
                    known == null ? clusterId : UTF_8.decode(known.duplicate()).toString();
            refusal = owner.equals(clusterId)
                    ? null
                    : "The logs in " + volume().logDir() + " belong to cluster " + owner + ", and this is cluster "
                            + clusterId + ": give the engine another place, or this node the other cluster";
        } catch (IOException | RuntimeException failure) {
            throw failed("the id of the cluster cannot be read or stored", failure);
        }
        if (refusal != null) {
            throw INCONSISTENT_CLUSTER_ID.because(refusal);
        }
    }

    @Override
    public final PartitionLog open(LogId id, long lease) {
        if (refusal != null) {
            throw KAFKA_STORAGE_ERROR.because(refusal);
        }
        return opened.compute(id, this::usable).lend(lease);
    }

    private KeyedLog usable(LogId id, KeyedLog log) {
        if (log != null && !log.hasFailed()) {
            return log;
        }
        try {
            return new KeyedLog(id, store(name(id)), traits(), log == null ? Long.MIN_VALUE : log.lease());
        } catch (IOException | RuntimeException failure) {
            throw failed(id + " cannot be read", failure);
        }
    }

    @Override
    public final void delete(LogId id) {
        opened.compute(id, this::deleted);
    }

    private KeyedLog deleted(LogId id, KeyedLog log) {
        if (log != null) {
            log.end("was deleted");
        }
        try {
            store(name(id)).drop();
            return null;
        } catch (IOException | RuntimeException failure) {
            throw failed(id + " cannot be deleted", failure);
        }
    }

    @Override
    public final Set<LogId> logs() {
        try {
            Set<LogId> found = new HashSet<>();
            for (String name : names()) {
                id(name).ifPresent(found::add);
            }
            return found;
        } catch (IOException | RuntimeException failure) {
            throw failed("the logs cannot be listed", failure);
        }
    }

    /**
     * Ends all handles, so that a late thread changes nothing that the next engine has opened. Call it when the component
     * is deactivated.
     */
    protected final void close() {
        opened.values().forEach(log -> log.end("has an engine that was stopped"));
    }

    private static String name(LogId id) {
        return id.topicId() + "-" + id.partition();
    }

    /** Empty if this is not the name of a log, or if the log has no value yet. */
    private Optional<LogId> id(String name) throws IOException {
        if (name.length() <= UUID_LENGTH || name.charAt(UUID_LENGTH) != '-') {
            return Optional.empty();
        }
        try {
            UUID topicId = UUID.fromString(name.substring(0, UUID_LENGTH));
            int partition = Integer.parseInt(name.substring(UUID_LENGTH + 1));
            KeyedLog log = opened.get(new LogId(topicId, partition, ""));
            return log != null
                    ? Optional.of(log.id())
                    : KeyedLog.topicOf(store(name)).map(topic -> new LogId(topicId, partition, topic));
        } catch (IllegalArgumentException another) {
            return Optional.empty();
        }
    }

    private RuntimeException failed(String what, Exception failure) {
        return failure instanceof FeliceException expected
                ? expected
                : KAFKA_STORAGE_ERROR.because(what + " in " + volume().logDir(), failure);
    }
}
