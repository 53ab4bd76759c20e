package io.felice.console;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.plugin.Plugins;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.management.JMException;
import javax.management.ObjectName;

/** The few numbers of the node of which the console keeps an hour, out of its status tables. */
final class NodeNumbers {
    private final NodeServices services;
    private final StatusTables tables;
    private volatile Counted counted = new Counted(-1, 0, 0);

    NodeNumbers(NodeServices services, StatusTables tables) {
        this.services = services;
        this.tables = tables;
    }

    /** Numbers that only grow. */
    Map<String, Double> counters() {
        Map<String, Double> numbers = new TreeMap<>();
        for (StatusTables.Row row : tables.rows("network.requests")) {
            String api = row.text("api");
            add(numbers, "requests", row.number("requests"));
            add(numbers, "failedRequests", row.number("failed"));
            if (api.equals("Produce")) {
                add(numbers, "bytesIn", row.number("in.bytes"));
            } else if (api.equals("Fetch")) {
                add(numbers, "bytesOut", row.number("out.bytes"));
            }
        }
        if (!numbers.isEmpty()) {
            numbers.putIfAbsent("bytesIn", 0.0);
            numbers.putIfAbsent("bytesOut", 0.0);
        }
        return numbers;
    }

    /** Numbers of the moment. */
    Map<String, Double> gauges() {
        Map<String, Double> numbers = new TreeMap<>();
        tables.rows("network.connections").forEach(row -> add(numbers, "connections", row.number("open")));
        services.find(ClusterMetadata.class).map(ClusterMetadata::view).ifPresent(view -> {
            Counted now = counted(view);
            numbers.put("underReplicated", (double) now.underReplicated());
            numbers.put("offline", (double) now.offline());
        });
        numbers.put("heapUsed", (double)
                ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        try {
            Object load = ManagementFactory.getPlatformMBeanServer()
                    .getAttribute(new ObjectName(ManagementFactory.OPERATING_SYSTEM_MXBEAN_NAME), "ProcessCpuLoad");
            if (load instanceof Double part && part >= 0) {
                numbers.put("cpu", 100 * part);
            }
        } catch (JMException unknownToThisJava) {
            return numbers;
        }
        return numbers;
    }

    /** Partitions of the whole cluster, at one version of the metadata. */
    private record Counted(long version, int underReplicated, int offline) {}

    private Counted counted(ClusterView view) {
        Counted known = counted;
        if (known.version() != view.version()) {
            known = new Counted(
                    view.version(),
                    view.topics().stream()
                            .mapToInt(TopicEndpoints::underReplicated)
                            .sum(),
                    view.topics().stream().mapToInt(TopicEndpoints::offline).sum());
            counted = known;
        }
        return known;
    }

    private static void add(Map<String, Double> numbers, String name, long number) {
        numbers.merge(name, (double) number, Double::sum);
    }

    /** A state for each kind of thing that pages show; another state means that the things have changed. */
    Map<String, Object> states() {
        Map<String, Object> states = new HashMap<>();
        services.find(ClusterMetadata.class).map(ClusterMetadata::view).ifPresent(view -> {
            states.put("topics", topics(view));
            states.put("brokers", view.brokers());
            states.put("users", System.identityHashCode(view.security()));
        });
        services.find(Plugins.class).ifPresent(plugins -> states.put("plugins", List.copyOf(plugins.list())));
        return states;
    }

    /** Topics and configs have no state of their own, so that of the whole view stands for them. */
    private static Object topics(ClusterView view) {
        return view.version();
    }
}
