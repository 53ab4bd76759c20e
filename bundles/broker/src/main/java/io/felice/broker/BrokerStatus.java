package io.felice.broker;

import io.felice.api.status.StatusTable;
import io.felice.broker.engine.Device;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.Compaction;
import io.felice.broker.partition.ProducerLimits;
import java.util.ArrayList;
import java.util.List;

/** The broker's tables for {@code felice:status}. Any thread. */
final class BrokerStatus {
    private static final List<String> COUNTERS = List.of("what", "count");

    private final Replicas replicas;
    private final Fetches fetches;
    private final Engines engines;
    private final ClusterLink link;
    private final Scrubbing scrubbing;
    private final ProducerLimits producers;

    BrokerStatus(
            Replicas replicas,
            Fetches fetches,
            Engines engines,
            ClusterLink link,
            Scrubbing scrubbing,
            ProducerLimits producers) {
        this.producers = producers;
        this.replicas = replicas;
        this.fetches = fetches;
        this.engines = engines;
        this.link = link;
        this.scrubbing = scrubbing;
    }

    List<StatusTable> tables() {
        return List.of(
                partitions(),
                offline(),
                damage(),
                recovery(),
                producers(),
                compaction(),
                scrub(),
                parked(),
                storage(),
                cluster());
    }

    private StatusTable partitions() {
        return new StatusTable(
                "broker.partitions",
                COUNTERS,
                List.of(
                        row("replicas", replicas.all().size()),
                        row("leading", count(Replica.Status.LEADING)),
                        row("opening", count(Replica.Status.OPENING)),
                        row("offline", count(Replica.Status.OFFLINE) + count(Replica.Status.NO_ENGINE))));
    }

    private long count(Replica.Status status) {
        return replicas.all().stream()
                .filter(replica -> replica.status == status)
                .count();
    }

    private StatusTable offline() {
        List<List<Object>> rows = new ArrayList<>();
        for (Replica replica : replicas.all()) {
            String failure = replica.isOffline() ? replica.reasonOffline() : replica.failure;
            if (failure != null) {
                rows.add(List.of(replica.partition.toString(), replica.engine, failure));
            }
        }
        return new StatusTable("broker.offline", List.of("partition", "engine", "reason"), rows);
    }

    private StatusTable damage() {
        List<List<Object>> rows = new ArrayList<>();
        replicas.openLogs().forEach(log -> log.scrub()
                .damages()
                .all()
                .forEach(damage -> rows.add(List.of(
                        log.partition().toString(),
                        log.engine().name(),
                        damage.from(),
                        damage.to(),
                        damage.foundAtMs(),
                        damage.what()))));
        return new StatusTable(
                "broker.damage",
                List.of("partition", "engine", "from.offset", "to.offset", "found.at.ms", "what"),
                rows);
    }

    private StatusTable scrub() {
        return new StatusTable(
                "broker.scrub",
                List.of("engine", "read.bytes", "passes", "waiting", "longest.wait.ms"),
                scrubbing.rows());
    }

    private StatusTable recovery() {
        OpeningTimes times = replicas.openingTimes();
        return new StatusTable(
                "broker.recovery",
                List.of("what", "logs", "time.ms"),
                List.of(
                        List.of("opened", (long) times.openedCount(), times.lastMs()),
                        List.of("waiting", (long) times.waitingCount(), 0L)));
    }

    private StatusTable producers() {
        return new StatusTable(
                "broker.producers",
                COUNTERS,
                List.of(
                        row("remembered", replicas.rememberedProducers()),
                        row("limit", producers.maxOfNode()),
                        row("forgotten", producers.forgotten())));
    }

    private StatusTable compaction() {
        List<Compaction> all = replicas.leaders().stream()
                .map(leader -> leader.log().compaction())
                .toList();
        return new StatusTable(
                "broker.compaction",
                COUNTERS,
                List.of(
                        row(
                                "compactions",
                                all.stream().mapToLong(Compaction::runs).sum()),
                        row(
                                "saved.bytes",
                                all.stream().mapToLong(Compaction::savedBytes).sum())));
    }

    private StatusTable parked() {
        return new StatusTable("broker.fetches", COUNTERS, List.of(row("parked", fetches.parkedCount())));
    }

    private StatusTable storage() {
        List<List<Object>> rows = new ArrayList<>();
        for (MountedEngine engine : engines.all()) {
            Device device = engine.device();
            rows.add(List.of(
                    engine.name(),
                    device.settleCount(),
                    device.offloadedCount(),
                    device.isSlow(),
                    device.slowMs(),
                    (long) engine.queued(),
                    engine.space().isFull(),
                    engine.space().refusedCount(),
                    (long) engine.openings().mostAtOnce()));
        }
        return new StatusTable(
                "broker.storage",
                List.of(
                        "engine",
                        "settles",
                        "offloaded",
                        "slow",
                        "slow.ms",
                        "queued",
                        "full",
                        "refused",
                        "opened.at.once"),
                rows);
    }

    private StatusTable cluster() {
        return new StatusTable(
                "broker.cluster",
                List.of("what", "value"),
                List.of(List.of("version", link.view().version()), List.of("connected", link.isConnected())));
    }

    private static List<Object> row(String what, long count) {
        return List.of(what, count);
    }
}
