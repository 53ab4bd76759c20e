package io.felice.security;

import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Counts the failed logins of each address, of the {@link #MOST_ADDRESSES} that have failed last. Says how long the answer
 * to a failure is delayed. Any thread.
 */
final class FailedLogins {
    static final int MOST_ADDRESSES = 1_000;
    /** More failures than these within a minute make the delay longer. */
    static final int MANY_PER_MINUTE = 10;
    /** How many times longer the delay is after many failures. */
    static final int LONGER = 10;

    static final int LONGEST_DELAY_MS = 10_000;

    private static final TableSchema STATUS = TableSchema.of("security.failures", "Failed logins by address")
            .label("address", "The address of the client")
            .counter("failures", "Failed logins, as long as the address is remembered")
            .gauge("failures.of.minute", "Failed logins of the last minute")
            .text("last.reason", "Why the last one failed");

    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

    private final LongSupplier nanos;
    private final Map<InetAddress, Count> counts = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<InetAddress, Count> eldest) {
            return size() > MOST_ADDRESSES;
        }
    };

    FailedLogins(LongSupplier nanos) {
        this.nanos = nanos;
    }

    private static final class Count {
        long all;
        long minuteSince;
        long ofMinute;
        String reason;
    }

    /**
     * Counts a failure.
     *
     * @return for how many milliseconds its answer is to be delayed
     */
    synchronized int delayMs(InetAddress address, String reason, int shortestMs) {
        Count count = counts.computeIfAbsent(address, unused -> new Count());
        long now = nanos.getAsLong();
        if (count.all == 0 || now - count.minuteSince >= MINUTE) {
            count.minuteSince = now;
            count.ofMinute = 0;
        }
        count.all++;
        count.ofMinute++;
        count.reason = reason;
        return count.ofMinute > MANY_PER_MINUTE ? Math.min(LONGEST_DELAY_MS, LONGER * shortestMs) : shortestMs;
    }

    synchronized int size() {
        return counts.size();
    }

    synchronized StatusTable table() {
        long now = nanos.getAsLong();
        List<List<Object>> rows = new ArrayList<>();
        counts.forEach((address, count) -> rows.add(List.of(
                address.getHostAddress(),
                count.all,
                now - count.minuteSince >= MINUTE ? 0L : count.ofMinute,
                count.reason)));
        return STATUS.rows(rows);
    }
}
