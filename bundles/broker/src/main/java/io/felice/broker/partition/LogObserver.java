package io.felice.broker.partition;

import io.felice.api.FeliceException;

/** What a role learns from the opened log below it. Called on any thread; must not block. */
interface LogObserver {
    /** All records below {@code end} are as durable as the topic's {@code storage.durability} asks for. */
    void durableTo(long end);

    /** True while an append waits for {@link #durableTo}. */
    boolean isAwaited();

    /** The log now starts at a higher offset. */
    void startMoved();

    /** The log can no longer be used: the role answers what waits with {@code why}, and ends. */
    void ended(FeliceException why);
}
