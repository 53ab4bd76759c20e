package io.felice.itests.container;

import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;

/** A thread with one client, which works until {@link #end}. */
abstract class TrafficClient extends Thread {
    private static final long NEVER = -1;

    private final Queue<String> failures;
    private final AtomicLong slowestMs = new AtomicLong();
    private volatile boolean ends;

    TrafficClient(String name, Queue<String> failures) {
        super(name);
        this.failures = failures;
        setDaemon(true);
    }

    /**
     * Settings of a client that closes no connection by itself. With the defaults it would close its first connection after
     * some minutes, because it connects again once it knows the node's id; tests count the connections that are closed.
     */
    static Map<String, Object> settings(String bootstrap, Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(more);
        settings.put("bootstrap.servers", bootstrap);
        settings.put("connections.max.idle.ms", NEVER);
        return settings;
    }

    /** Works until {@link #ends()}. An exception counts as a failure. */
    abstract void work() throws Exception;

    @Override
    public final void run() {
        try {
            work();
        } catch (Exception e) {
            fail(e.toString());
        }
    }

    final void end() {
        ends = true;
    }

    final boolean ends() {
        return ends;
    }

    /** The longest time since the last call. */
    final long takeLongestMs() {
        return slowestMs.getAndSet(0);
    }

    final void took(long sinceNanos) {
        slowestMs.accumulateAndGet(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sinceNanos), Math::max);
    }

    final void fail(String failure) {
        failures.add(getName() + ": " + failure);
    }

    /** The number of connections that the client with these metrics has closed or lost. */
    static long closedConnections(Map<MetricName, ? extends Metric> metrics) {
        return metrics.entrySet().stream()
                .filter(metric -> metric.getKey().name().equals("connection-close-total"))
                .filter(metric -> !metric.getKey().tags().containsKey("node-id"))
                .mapToLong(metric -> ((Number) metric.getValue().metricValue()).longValue())
                .sum();
    }
}
