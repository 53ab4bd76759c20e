package io.felice.controller;

import io.felice.api.SerialExecutor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A controller's thread with a clock that the test moves. All due tasks have run when a call returns. */
class InlineThread implements ControllerThread {
    private final SerialExecutor executor = new SerialExecutor("controller", Runnable::run);
    private final List<Alarm> alarms = new ArrayList<>();
    private Duration now = Duration.ZERO;
    private boolean closed;

    private record Alarm(Duration at, Runnable task) {}

    @Override
    public boolean offer(Runnable task) {
        if (!closed) {
            executor.execute(task);
        }
        return !closed;
    }

    @Override
    public void after(Duration delay, Runnable task) {
        alarms.add(new Alarm(now.plus(delay), task));
    }

    @Override
    public void close() {
        closed = true;
    }

    /** Moves the clock, and runs the tasks that become due. */
    void pass(Duration time) {
        now = now.plus(time);
        List<Alarm> due = alarms.stream()
                .filter(alarm -> alarm.at().compareTo(now) <= 0)
                .sorted(Comparator.comparing(Alarm::at))
                .toList();
        alarms.removeAll(due);
        due.forEach(alarm -> execute(alarm.task()));
    }
}
