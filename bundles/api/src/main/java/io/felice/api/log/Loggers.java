package io.felice.api.log;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** The levels of this node's loggers (KIP-412). Any thread may call the methods; they do not block. */
@ProviderType
public interface Loggers {
    /** The name of the root logger. Its level applies to all loggers that have no level and no parent with a level. */
    String ROOT = "root";

    /** Kafka's names of the levels. A logger at FATAL logs nothing, because Felice has no messages of that level. */
    List<String> LEVELS = List.of("DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN");

    /**
     * The level in force, one of {@link #LEVELS}, of {@link #ROOT} and of each logger with a level of its own.
     *
     * @throws java.io.UncheckedIOException if the configuration of the log cannot be read
     */
    Map<String, String> levels();

    /**
     * Sets or removes the levels of loggers. A logger without a level has the level of its parent.
     *
     * @param levels by logger name: one of {@link #LEVELS}, or empty to remove the level, which is not allowed for
     *     {@link #ROOT}
     * @return completes when all levels are set; fails with {@link java.io.UncheckedIOException} if a level cannot be
     *     written
     */
    CompletionStage<Void> change(Map<String, Optional<String>> levels);
}
