package io.felice.api.storage;

import java.nio.file.Path;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Work on an engine's files that an operator asks for, while logs are read and appended to. An engine that has such work
 * registers this beside {@link StorageEngine}. One work of an engine runs at a time. Any thread; nothing blocks.
 */
@ConsumerType
public interface StoreMaintenance {
    /** What {@code storage.engine} of a topic says. */
    String engine();

    /**
     * Begins to give back space that no record uses: moves what is used out of files that are mostly not, and deletes them.
     *
     * @throws io.felice.api.FeliceException KAFKA_STORAGE_ERROR if another work is running
     */
    Work compact();

    /**
     * Begins to copy everything that is committed now into a directory, which can take the place of the engine's.
     *
     * @param directory absolute; it is made if it is not there
     * @throws io.felice.api.FeliceException KAFKA_STORAGE_ERROR if the directory is not empty or cannot be made, or if
     *     another work is running
     */
    Work backUp(Path directory);

    /** Work that goes on by itself. Any thread; the methods do not block. */
    @ConsumerType
    interface Work {
        /** Bytes that are done. */
        long doneBytes();

        /** Bytes of the whole work; may change while it goes on. */
        long totalBytes();

        /**
         * Completes with a sentence for the operator, or fails with KAFKA_STORAGE_ERROR; what was moved or copied until
         * then stays.
         */
        CompletionStage<String> outcome();
    }
}
