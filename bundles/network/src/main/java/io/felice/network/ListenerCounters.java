package io.felice.network;

import java.util.concurrent.atomic.AtomicLong;

/** Counts the connections of a listener. Any thread; atomic counters are fast enough for connections. */
final class ListenerCounters {
    final AtomicLong open = new AtomicLong();
    final AtomicLong accepted = new AtomicLong();
    final AtomicLong closed = new AtomicLong();
    final AtomicLong refusedPerAddress = new AtomicLong();
    final AtomicLong waitedForSlot = new AtomicLong();
    final AtomicLong waitedForRate = new AtomicLong();
    final AtomicLong idleClosed = new AtomicLong();
    final AtomicLong stalledClosed = new AtomicLong();
    final AtomicLong memoryClosed = new AtomicLong();
    final AtomicLong malformed = new AtomicLong();
}
