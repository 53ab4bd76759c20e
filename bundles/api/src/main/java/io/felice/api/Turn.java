package io.felice.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * One round of an I/O thread. The thread reads and dispatches many requests, runs the actions that were deferred to the end
 * of the round, and then writes the answers.
 *
 * <p>A partition appends at once and defers the settling of its log, so that all appends of a round cost one write. An
 * answer that depends on a deferred action is completed inside that action. A turn belongs to one thread; it must not be
 * kept after the call that it was passed to.
 */
@ProviderType
public interface Turn {
    /** For callers that are not on an I/O thread: a deferred action runs at once. */
    Turn IMMEDIATE = Runnable::run;

    /**
     * Runs {@code action} once, on this thread, after the last request of the round is dispatched and before the first
     * answer is written. Actions run in the order of the calls. If one throws, the failure is logged and the others run.
     */
    void atEnd(Runnable action);
}
