package io.felice.itests.container;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/** A {@link Traffic} on each of several storage engines. */
record Traffics(List<Traffic> all) implements AutoCloseable {
    static Traffics on(String bootstrap, String topic, List<String> engines) throws Exception {
        List<Traffic> begun = new ArrayList<>();
        for (String engine : engines) {
            begun.add(new Traffic(bootstrap, topic + "-" + engine, engine));
        }
        return new Traffics(List.copyOf(begun));
    }

    void awaitProgress() throws InterruptedException {
        for (Traffic traffic : all) {
            traffic.awaitProgress();
        }
    }

    /** The longest times of all clients since the last call. */
    Traffic.Pause takeLongestTimes() {
        List<Traffic.Pause> pauses = all.stream().map(Traffic::takeLongestTimes).toList();
        return new Traffic.Pause(
                longest(pauses, Traffic.Pause::writtenMs),
                longest(pauses, Traffic.Pause::followedMs),
                longest(pauses, Traffic.Pause::readInGroupMs),
                longest(pauses, Traffic.Pause::adminMs));
    }

    private static long longest(List<Traffic.Pause> pauses, ToLongFunction<Traffic.Pause> time) {
        return pauses.stream().mapToLong(time).max().orElseThrow();
    }

    long closedConnections() {
        return all.stream().mapToLong(Traffic::closedConnections).sum();
    }

    List<String> failures() {
        return all.stream().flatMap(traffic -> traffic.failures().stream()).toList();
    }

    void finish() throws InterruptedException {
        for (Traffic traffic : all) {
            traffic.finish();
        }
    }

    @Override
    public void close() {
        all.forEach(Traffic::close);
    }
}
