package io.felice.api.log;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** The levels of this node's loggers. From any thread; nothing blocks. */
@ProviderType
public interface Loggers {
    /** The name of the logger whose level holds for all that have none of their own. */
    String ROOT = "root";

    /** Kafka's words for levels. A logger at FATAL logs nothing here. */
    List<String> LEVELS = List.of("DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN");

    /** The level in force, one of {@link #LEVELS}, of {@link #ROOT} and of each logger that has a level of its own. */
    Map<String, String> levels();

    /**
     * Gives loggers a level, or takes theirs away so that the level of the next logger above holds.
     *
     * @param levels one of {@link #LEVELS}, or empty to take the level away, which {@link #ROOT} cannot do without
     * @return fails if the levels cannot be written
     */
    CompletionStage<Void> change(Map<String, Optional<String>> levels);
}
