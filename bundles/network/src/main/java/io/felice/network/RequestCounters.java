package io.felice.network;

/** The counters of one I/O thread for one API; written by that thread only. */
final class RequestCounters {
    final Counter requests = new Counter();
    final Counter bytesIn = new Counter();
    final Counter bytesOut = new Counter();
    /**
     * Requests that failed as a whole: the handler threw an exception or was removed. Errors of single topics,
     * partitions or groups are in the body of the answer and are not counted.
     */
    final Counter errors = new Counter();

    final Durations durations = new Durations();
    final Counter longestNanos = new Counter();
    final Counter inFlight = new Counter();
    final Counter held = new Counter();
}
