package io.felice.broker.engine;

import io.felice.api.storage.LogId;
import io.felice.api.storage.StorageEngine;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.osgi.framework.Bundle;
import org.osgi.framework.FrameworkUtil;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs why an engine could not open a log, with the stack and the engine's bundle. One cause may make thousands of logs
 * fail again and again, so only one failure of an engine per minute is logged; the others are counted.
 */
final class OpeningFailures {
    private static final Logger log = LoggerFactory.getLogger(OpeningFailures.class);
    private static final long INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final String name;
    private final StorageEngine engine;
    private final LongSupplier nanos;
    private boolean told;
    private long toldAt;
    private int notTold;

    OpeningFailures(String name, StorageEngine engine, LongSupplier nanos) {
        this.name = name;
        this.engine = engine;
        this.nanos = nanos;
    }

    synchronized void tell(LogId id, Throwable failure) {
        long now = nanos.getAsLong();
        if (told && now - toldAt < INTERVAL_NANOS) {
            notTold++;
            return;
        }
        String others = notTold == 0 ? "" : " (" + notTold + " other failures since the last such line)";
        log.warn("{} cannot open the log of {}{}", origin(), id, others, failure);
        told = true;
        toldAt = now;
        notTold = 0;
    }

    /** The name of the engine and of its bundle, for log lines. */
    String origin() {
        Bundle bundle = FrameworkUtil.getBundle(engine.getClass());
        String from = bundle == null
                ? "class " + engine.getClass().getName()
                : "bundle " + bundle.getSymbolicName() + " " + bundle.getVersion();
        return "The storage engine " + name + " (" + from + ")";
    }
}
