package io.felice.broker;

import io.felice.api.status.StatusTable;
import io.felice.broker.engine.Device;
import io.felice.broker.engine.Engines;
import io.felice.broker.engine.MountedEngine;
import io.felice.broker.partition.BatchAdmission;
import io.felice.broker.partition.CompactionLimits;
import io.felice.broker.partition.CompactionProgress;
import io.felice.broker.partition.OpenedLog;
import io.felice.broker.partition.ProducerLimits;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/** The broker's tables for {@code felice:status}. Any thread. */
final class BrokerStatus {
    private static final List<String> COUNTERS = List.of("what", "count");
    /** A node may have thousands of compacted logs, of which the dirtiest are shown. */
    private static final int MOST_COMPACTED_LOGS = 100;

    private final Replicas replicas;
    private final Fetches fetches;
    private final Engines engines;
    private final Compactor compactor;
    private final ClusterLink link;
    private final Scrubbing scrubbing;
    private final ProducerLimits producers;

    BrokerStatus(
            Replicas replicas,
            Fetches fetches,
            Engines engines,
            Compactor compactor,
            ClusterLink link,
            Scrubbing scrubbing,
            ProducerLimits producers) {
        this.producers = producers;
        this.replicas = replicas;
        this.fetches = fetches;
        this.engines = engines;
        this.compactor = compactor;
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
                recompression(),
                compaction(),
                compactedLogs(),
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
                List.of("engine", "read.bytes", "passes", "waiting", "longest.wait.ms", "damages"),
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

    private StatusTable recompression() {
        BatchAdmission admission = replicas.admission();
        return new StatusTable(
                "broker.recompression",
                COUNTERS,
                List.of(row("recompressed", admission.recompressed()), row("waiting", admission.waiting())));
    }

    private StatusTable compaction() {
        List<CompactionProgress> all =
                compactions().map(log -> log.compaction().progress()).toList();
        CompactionLimits limits = compactor.limits();
        return new StatusTable(
                "broker.compaction",
                COUNTERS,
                List.of(
                        row("compactions", sum(all, CompactionProgress::runs)),
                        row("running", limits.runs()),
                        row(
                                "failing",
                                all.stream()
                                        .filter(one -> !one.lastFailure().isEmpty())
                                        .count()),
                        row("dirtiest.percent", Math.round(100 * dirtiest(all))),
                        row("read.bytes", sum(all, CompactionProgress::readBytes)),
                        row("written.bytes", sum(all, CompactionProgress::writtenBytes)),
                        row("saved.bytes", sum(all, CompactionProgress::savedBytes)),
                        row("keys.bytes", limits.keyBytes()),
                        row("keys.limit.bytes", limits.keyBytesLimit())));
    }

    private Stream<OpenedLog> compactions() {
        return replicas.openLogs()
                .filter(log -> log.compaction().isWanted()
                        || log.compaction().progress().runs() > 0);
    }

    private static double dirtiest(List<CompactionProgress> all) {
        return all.stream().mapToDouble(CompactionProgress::ratio).max().orElse(0);
    }

    private static long sum(List<CompactionProgress> all, ToLongFunction<CompactionProgress> number) {
        return all.stream().mapToLong(number).sum();
    }

    /** A log's row, and what its place in the table depends on. */
    private record CompactedLog(boolean isRemarkable, double ratio, List<Object> row) {
        static CompactedLog of(OpenedLog log) {
            CompactionProgress progress = log.compaction().progress();
            boolean isRemarkable =
                    !progress.doing().isEmpty() || !progress.lastFailure().isEmpty();
            return new CompactedLog(isRemarkable, progress.ratio(), BrokerStatus.row(log));
        }
    }

    /** The logs that are compacted now or failed, then the others; the dirtiest first. */
    private StatusTable compactedLogs() {
        List<List<Object>> rows = compactions()
                .map(CompactedLog::of)
                .sorted(Comparator.comparing(CompactedLog::isRemarkable)
                        .thenComparing(CompactedLog::ratio)
                        .reversed())
                .limit(MOST_COMPACTED_LOGS)
                .map(CompactedLog::row)
                .toList();
        return new StatusTable(
                "broker.compaction.logs",
                List.of(
                        "partition",
                        "engine",
                        "dirty.percent",
                        "dirty.bytes",
                        "bytes",
                        "compacted.to",
                        "runs",
                        "last.run.ms",
                        "read.bytes",
                        "written.bytes",
                        "saved.bytes",
                        "doing",
                        "done.percent",
                        "last.failure"),
                rows);
    }

    private static List<Object> row(OpenedLog log) {
        CompactionProgress progress = log.compaction().progress();
        return List.of(
                log.partition().toString(),
                log.engine().name(),
                Math.round(100 * progress.ratio()),
                progress.dirtyBytes(),
                progress.bytes(),
                log.compaction().cleanedTo(),
                progress.runs(),
                progress.lastRunMs(),
                progress.readBytes(),
                progress.writtenBytes(),
                progress.savedBytes(),
                progress.doing(),
                progress.percent(),
                progress.lastFailure());
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
