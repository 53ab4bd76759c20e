package io.felice.api.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Map;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Values under numbers: what a {@link KeyedEngine} needs to keep one log. A batch is the value of its base offset; a
 * value of a few hundred bytes under a negative number says where the log and its segments start. A directory with a
 * file for each number is such a store, and so is a table, or a bucket of a key-value database.
 *
 * <p>Threads: one call at a time for each store, on any thread. The calls may block.
 *
 * <p>Failures: {@link #put}, {@link #delete}, {@link #sync} and {@link #replace} that throw make the log dead; the broker
 * opens it again then. A {@link #get} that throws fails one read. The client gets KAFKA_STORAGE_ERROR and the log of the
 * node the exception.
 */
@ConsumerType
public interface BatchStore {
    /**
     * Stores a value, in place of the one that the number has. After a kill the number has the old value or the new one,
     * whole. When the method returns, the value survives what the engine's traits promise, a power cut only after {@link
     * #sync}.
     *
     * @param value the bytes from its position to its limit; the store copies or writes them before it returns
     */
    void put(long number, ByteBuffer value) throws IOException;

    /** The value from its position to its limit, in a buffer whose bytes never change; null if the number has none. */
    ByteBuffer get(long number) throws IOException;

    /** Removes the number and its value. Does nothing if it has none. */
    void delete(long number) throws IOException;

    /** Deletes the store with all its values. Does nothing if it has none. Buffers that were read stay as they are. */
    void drop() throws IOException;

    /** All numbers that have a value, in any order. Empty for a store in which nothing was put yet. */
    Collection<Long> numbers() throws IOException;

    /**
     * Makes all puts and deletes survive a power cut. Engines without {@link EngineTrait#SURVIVES_POWER_LOSS} need not
     * implement it: the default does nothing.
     */
    default void sync() throws IOException {}

    /**
     * Removes the numbers from {@code from} to {@code to - 1} and stores these values, in one step: a kill leaves all of
     * it or nothing. Only engines with {@link EngineTrait#REPLACES_RANGES} need to implement it.
     */
    default void replace(long from, long to, Map<Long, ByteBuffer> values) throws IOException {
        throw new UnsupportedOperationException("this store cannot replace a range in one step");
    }
}
