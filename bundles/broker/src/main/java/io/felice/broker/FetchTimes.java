package io.felice.broker;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * When each broker has fetched the last time from this one. A fetch in a session does not name the partitions of which it
 * wants the same as before, so the time of the broker is that of all of them. Any thread.
 */
final class FetchTimes {
    private final Map<Integer, Last> byBroker = new ConcurrentHashMap<>();

    private record Last(long brokerEpoch, long nanos) {}

    void fetched(int broker, long brokerEpoch, long nanos) {
        byBroker.merge(
                broker,
                new Last(brokerEpoch, nanos),
                (before, now) -> before.brokerEpoch() > now.brokerEpoch() ? before : now);
    }

    /** In nanoseconds; {@code otherwise} if the broker has not fetched in this broker epoch. */
    long last(int broker, long brokerEpoch, long otherwise) {
        Last last = byBroker.get(broker);
        return last == null || last.brokerEpoch() != brokerEpoch ? otherwise : last.nanos();
    }
}
