package io.felice.api;

import org.osgi.annotation.versioning.ProviderType;

/**
 * One round of an I/O thread. In a round the thread reads and dispatches requests, runs the actions that were deferred
 * to the end of the round, and then writes the responses.
 *
 * <p>A partition appends at once and defers the settling of its log, so that all appends of a round cost one write. A
 * response that depends on a deferred action is completed inside that action. A turn belongs to one thread. The callee
 * must not keep the turn after the call returns.
 */
@ProviderType
public interface Turn {
    /** The turn of callers that are not on an I/O thread. It runs each action at once, inside {@link #atEnd}. */
    Turn IMMEDIATE = Runnable::run;

    /**
     * Defers {@code action}. The action runs once, on this thread, after the last request of the round is dispatched
     * and before the first response is written. Actions run in the order of the calls. If an action throws, the failure
     * is logged and the other actions run.
     */
    void atEnd(Runnable action);
}
