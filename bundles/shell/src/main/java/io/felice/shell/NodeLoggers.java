package io.felice.shell;

import io.felice.api.log.Loggers;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lets Kafka's tools read and change the levels of the node's loggers, in the same way as {@code log:set}. */
@Component(service = {Loggers.class, StatusSource.class})
public final class NodeLoggers implements Loggers, StatusSource {
    private static final TableSchema STATUS = TableSchema.limits("shell.loggers");
    private static final Logger log = LoggerFactory.getLogger(NodeLoggers.class);
    /** The level at which nothing is logged: SLF4J has no FATAL, and Kafka has no OFF. */
    private static final String SILENT = "OFF";

    private static final String SILENT_TO_KAFKA = "FATAL";

    private final LogLevels levels;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(NodeLoggers::thread);

    @Activate
    public NodeLoggers(@Reference ConfigurationAdmin admin) {
        levels = new LogLevels(admin);
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "felice-log-levels");
        thread.setDaemon(true);
        return thread;
    }

    @Override
    public Map<String, String> levels() {
        Map<String, String> inForce = new TreeMap<>();
        try {
            for (String logger : levels.configured()) {
                String level = LogLevels.inForce(logger);
                inForce.put(
                        logger.equals(LogLevels.ROOT) ? ROOT : logger, level.equals(SILENT) ? SILENT_TO_KAFKA : level);
            }
        } catch (IOException unreadable) {
            throw new UncheckedIOException("The configuration of the log cannot be read", unreadable);
        }
        return inForce;
    }

    @Override
    public CompletionStage<Void> change(Map<String, Optional<String>> wanted) {
        return CompletableFuture.runAsync(() -> wanted.forEach(this::change), thread);
    }

    private void change(String logger, Optional<String> level) {
        String word = level.map(asked -> asked.equals(SILENT_TO_KAFKA) ? SILENT : asked)
                .orElse(LogLevels.DEFAULT);
        try {
            log.info("{}", levels.set(word, logger.equals(ROOT) ? LogLevels.ROOT : logger));
        } catch (IOException failed) {
            throw new UncheckedIOException("The level of " + logger + " cannot be written", failed);
        }
    }

    @Override
    public List<StatusTable> tables() {
        try {
            long configured = levels.configured().size();
            return List.of(STATUS.rows(List.of(TableSchema.limit("loggers", configured, LogLevels.MOST_LOGGERS))));
        } catch (IOException unreadable) {
            return List.of();
        }
    }

    /** The accepted changes are still made. */
    @Deactivate
    public void close() {
        thread.shutdown();
    }
}
