package io.felice.network;

import java.util.concurrent.atomic.AtomicLong;

/** What became of the connections of a listener. Any thread: connections come and go slowly. */
final class ListenerCounters {
    final AtomicLong open = new AtomicLong();
    final AtomicLong accepted = new AtomicLong();
    final AtomicLong closed = new AtomicLong();
    final AtomicLong refused = new AtomicLong();
    final AtomicLong idleClosed = new AtomicLong();
    final AtomicLong stalledClosed = new AtomicLong();
    final AtomicLong memoryClosed = new AtomicLong();
    final AtomicLong malformed = new AtomicLong();
}
