package io.felice.itests.simulation;

import io.felice.itests.simulation.Timeline.Life;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/** A thread of a broker: its tasks run in order, each some time after it was submitted. */
final class Lane implements Executor {
    private final Timeline timeline;
    private final Life life;
    private final LongSupplier delay;
    private long last;

    /** @param delay in nanoseconds */
    Lane(Timeline timeline, Life life, LongSupplier delay) {
        this.timeline = timeline;
        this.life = life;
        this.delay = delay;
    }

    @Override
    public void execute(Runnable task) {
        last = Math.max(last, timeline.now() + delay.getAsLong());
        timeline.at(life, last, task);
    }
}
