package io.felice.broker.partition;

import io.felice.api.FeliceException;

/** What the opened log tells the role. Called on any thread; must not block. */
interface LogObserver {
    /** All records below {@code end} are as durable as the topic's {@code storage.durability} asks for. */
    void durableTo(long end);

    /** True while an append waits for {@link #durableTo}. */
    boolean isAwaited();

    void startMoved();

    /** The log ended, so the role ends too and fails all waiting appends with {@code why}. */
    void ended(FeliceException why);
}
