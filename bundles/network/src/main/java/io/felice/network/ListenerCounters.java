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
    /** Open connections whose clients have not logged in yet. */
    final AtomicLong unauthenticated = new AtomicLong();

    final AtomicLong logins = new AtomicLong();
    final AtomicLong refusedLogins = new AtomicLong();
    final AtomicLong lateLogins = new AtomicLong();
    final AtomicLong notLoggedIn = new AtomicLong();
    final AtomicLong sessionsEnded = new AtomicLong();

    /** Whole frames of another wire than Kafka's. */
    final AtomicLong frames = new AtomicLong();
    /** Calls of the wire that threw something. */
    final AtomicLong failedInWire = new AtomicLong();

    final AtomicLong tlsHandshakes = new AtomicLong();
    final AtomicLong tlsFailed = new AtomicLong();
    final AtomicLong tlsLate = new AtomicLong();
}
