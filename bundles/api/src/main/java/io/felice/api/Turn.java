package io.felice.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * One round of an I/O thread: it reads and dispatches many requests, runs what was deferred to the end of the round,
 * and only then writes the answers.
 *
 * <p>A partition appends at once and defers its settle, so that many appends of a round cost one write. Whoever answers
 * only after that work does so by completing its stage inside the deferred action. A turn belongs to one thread; it must
 * not be kept after the call that brought it.
 */
@ProviderType
public interface Turn {
    /** For callers that are not on an I/O thread: what is deferred runs at once. */
    Turn IMMEDIATE = Runnable::run;

    /**
     * Runs {@code action} once, on this thread, after the last request of the round was dispatched and before its first
     * answer is written. Actions run in the order they were given; one that throws is logged and does not stop the others.
     */
    void atEnd(Runnable action);
}
