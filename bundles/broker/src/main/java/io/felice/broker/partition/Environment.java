package io.felice.broker.partition;

import java.time.Clock;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * Clocks, threads and random numbers of the broker. They are passed in so that tests and simulators can control them.
 *
 * @param nanos a clock that never goes back, in nanoseconds
 * @param timer runs short tasks later; the tasks must not block
 * @param background runs the tasks that write small state files
 */
public record Environment(
        int brokerId,
        Clock clock,
        LongSupplier nanos,
        ScheduledExecutorService timer,
        Executor background,
        RandomGenerator random) {}
