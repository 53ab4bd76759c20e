package io.felice.broker.partition;

import java.time.Clock;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * What every part of the broker gets from outside, so that a test or a simulator can own it.
 *
 * @param nanos a clock that never goes back, in nanoseconds
 * @param timer runs short tasks later; never anything that blocks
 * @param background runs what writes small state files
 */
public record Environment(
        int brokerId,
        Clock clock,
        LongSupplier nanos,
        ScheduledExecutorService timer,
        Executor background,
        RandomGenerator random) {}
