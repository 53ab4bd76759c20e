package io.felice.network;

/** What one I/O thread has done for one API; written by that thread only. */
final class RequestCounters {
    final Counter requests = new Counter();
    final Counter bytesIn = new Counter();
    final Counter bytesOut = new Counter();
    /**
     * Requests that failed as a whole: their handler threw, or went away. What an answer says of single topics, partitions
     * or groups is in its body, which nobody reads here.
     */
    final Counter errors = new Counter();

    final Counter nanos = new Counter();
    final Counter longestNanos = new Counter();
    final Counter inFlight = new Counter();
    final Counter held = new Counter();
}
