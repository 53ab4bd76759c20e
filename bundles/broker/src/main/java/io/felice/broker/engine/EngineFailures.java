package io.felice.broker.engine;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.FeliceException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs what the calls of an engine have thrown, with the call, the stack and the engine's bundle. One cause may make
 * thousands of calls fail again and again, so only one failure of an engine per minute is logged; the others are counted.
 */
final class EngineFailures {
    private static final Logger log = LoggerFactory.getLogger(EngineFailures.class);
    private static final long INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final String engine;
    private final LongSupplier nanos;
    private boolean told;
    private long toldAt;
    private int notTold;

    /** @param engine the name of the engine and of its bundle, as the subject of a sentence */
    EngineFailures(String engine, LongSupplier nanos) {
        this.engine = engine;
        this.nanos = nanos;
    }

    synchronized void tell(String call, Throwable failure) {
        long now = nanos.getAsLong();
        if (told && now - toldAt < INTERVAL_NANOS) {
            notTold++;
            return;
        }
        String others = notTold == 0 ? "" : " (" + notTold + " other failures since the last such line)";
        log.warn("{} has failed in {}{}", engine, call, others, failure);
        told = true;
        toldAt = now;
        notTold = 0;
    }

    /** True for what an engine may answer by its contract; it says nothing about the engine. */
    static boolean isAnswer(Throwable failure) {
        return failure instanceof FeliceException answer && answer.code() != KAFKA_STORAGE_ERROR;
    }

    /** KAFKA_STORAGE_ERROR with a sentence that names the engine, its bundle and the call. */
    FeliceException sentence(String call, Throwable failure) {
        String why = failure instanceof FeliceException ? failure.getMessage() : failure.toString();
        return KAFKA_STORAGE_ERROR.because(engine + " has failed in " + call + ": " + why, failure);
    }
}
