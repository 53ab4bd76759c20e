package io.felice.broker;

import io.felice.api.partition.LogMove;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import io.felice.broker.engine.Device;
import io.felice.broker.engine.EngineServices;
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
import java.util.Locale;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/** The broker's tables for {@code felice:status}. Any thread. */
final class BrokerStatus {
    private static final TableSchema PARTITIONS = TableSchema.of("broker.partitions", "The partitions of this node")
            .gauge("replicas", "Partitions that this node has")
            .gauge("leading", "Partitions that this node leads")
            .gauge("opening", "Partitions whose logs are being opened")
            .gauge("offline", "Partitions whose logs cannot be used");
    private static final TableSchema OFFLINE = TableSchema.of(
                    "broker.offline", "Partitions that cannot be used, or not in full")
            .label("partition", "The partition")
            .label("engine", "Its storage engine")
            .text("reason", "Why");
    private static final TableSchema DAMAGE = TableSchema.of(
                    "broker.damage", "Records that are damaged and kept from readers")
            .label("partition", "The partition")
            .label("engine", "Its storage engine")
            .label("from.offset", "The first offset that is damaged")
            .gauge("to.offset", "The last offset that is damaged")
            .gauge("found.at.ms", Unit.MILLISECONDS, "When the damage was found, since 1970")
            .text("what", "What is wrong");
    private static final TableSchema SCRUB = TableSchema.of("broker.scrub", "The reading of logs to find damage")
            .label("engine", "The storage engine")
            .counter("read.bytes", Unit.BYTES, "Bytes that were read")
            .counter("passes", "How often all logs were read")
            .gauge("waiting", "Logs that are due to be read")
            .gauge("longest.wait.ms", Unit.MILLISECONDS, "How long the log that waits longest has been due")
            .gauge("damages", "Damaged ranges that are known");
    private static final TableSchema RECOVERY = TableSchema.of("broker.recovery", "The opening of logs")
            .gauge("opened", "Logs that were opened together the last time")
            .gauge("time.ms", Unit.MILLISECONDS, "How long this took")
            .gauge("waiting", "Logs that wait to be opened");
    private static final TableSchema PRODUCERS = TableSchema.of("broker.producers", "Idempotent producers")
            .gauge("remembered", "Producers that all partitions remember together")
            .gauge("limit", "How many may be remembered")
            .counter("forgotten", "Producers that were forgotten to make room for others");
    private static final TableSchema RECOMPRESSION = TableSchema.of(
                    "broker.recompression", "Batches that were not compressed as their topic wants it")
            .counter("recompressed", "Batches that were compressed anew")
            .gauge("waiting", "Batches that wait for it");
    private static final TableSchema COMPACTION = TableSchema.of("broker.compaction", "The compaction of all logs")
            .counter("compactions", "Runs that have ended")
            .gauge("running", "Runs that go on now")
            .gauge("failing", "Logs whose last run failed")
            .gauge("dirtiest.percent", Unit.PERCENT, "How much of the dirtiest log is not compacted")
            .counter("read.bytes", Unit.BYTES, "Bytes that were read")
            .counter("written.bytes", Unit.BYTES, "Bytes that were written")
            .counter("saved.bytes", Unit.BYTES, "Bytes that logs became smaller by")
            .gauge("keys.bytes", Unit.BYTES, "Memory with the keys of the runs that go on")
            .gauge("keys.limit.bytes", Unit.BYTES, "How much memory keys may take");
    private static final TableSchema COMPACTED_LOGS = TableSchema.of(
                    "broker.compaction.logs", "The dirtiest compacted logs")
            .label("partition", "The partition")
            .label("engine", "Its storage engine")
            .gauge("dirty.percent", Unit.PERCENT, "How much of the log is not compacted")
            .gauge("dirty.bytes", Unit.BYTES, "Bytes that are not compacted")
            .gauge("bytes", Unit.BYTES, "Bytes of the log without its active segment")
            .gauge("compacted.to", "The offset before which the log is compacted")
            .counter("runs", "Runs that have ended")
            .gauge("last.run.ms", Unit.MILLISECONDS, "How long the last run took")
            .counter("read.bytes", Unit.BYTES, "Bytes that were read")
            .counter("written.bytes", Unit.BYTES, "Bytes that were written")
            .counter("saved.bytes", Unit.BYTES, "Bytes that the log became smaller by")
            .text("doing", "What the run does now")
            .gauge("done.percent", Unit.PERCENT, "How far the run is")
            .text("last.failure", "Why the last run failed");
    private static final TableSchema FETCHES =
            TableSchema.of("broker.fetches", "Fetches").gauge("parked", "Fetches that wait for records");
    private static final TableSchema STORAGE = TableSchema.of("broker.storage", "The storage engines")
            .label("engine", "The storage engine")
            .counter("settles", "How often the batches of a log were settled")
            .counter("offloaded", "How many of these were done by the engine's threads instead of an I/O thread")
            .gauge("slow", "Whether the device is slow, so that the engine's threads do it")
            .gauge("slow.ms", Unit.MILLISECONDS, "How long the device has been slow; 0 if it is fast")
            .gauge("queued", "Tasks that wait for the engine's threads")
            .gauge("full", "Whether the engine has no room for records")
            .counter("refused", "Appends that were refused because the engine was full")
            .gauge("opened.at.once", "The most logs that were opened at the same time");
    private static final TableSchema MOVES = TableSchema.of(
                    "broker.moves", "Logs that are being moved to other storage engines")
            .label("partition", "The partition")
            .text("from", "The storage engine that has the log")
            .text("to", "The storage engine that gets it")
            .text("phase", "waiting, copying, switching, removing the old log, or cancelling")
            .counter("copied.bytes", Unit.BYTES, "Bytes that were copied since the start of the node")
            .gauge("lag", "How many offsets the copy is behind; -1 before it has begun")
            .text("problem", "Why the move does not go on at the moment");
    private static final TableSchema MOVED = TableSchema.of("broker.moved", "Logs that were moved since the start")
            .counter("moved", "Logs that were moved")
            .gauge("longest.pause.ms", Unit.MILLISECONDS, "The longest time for which appends waited");
    private static final TableSchema CLUSTER = TableSchema.of("broker.cluster", "What the broker knows of the cluster")
            .gauge("version", "The version of the metadata that the broker has applied")
            .gauge("connected", "Whether the cluster's store answers");

    /** A node may have thousands of compacted logs, of which the dirtiest are shown. */
    private static final int MOST_COMPACTED_LOGS = 100;

    private final Replicas replicas;
    private final Fetches fetches;
    private final Engines engines;
    private final EngineServices services;
    private final Compactor compactor;
    private final ClusterLink link;
    private final Scrubbing scrubbing;
    private final ProducerLimits producers;
    private final ReplicationStatus replication;

    BrokerStatus(
            Replicas replicas,
            Fetches fetches,
            Engines engines,
            EngineServices services,
            Compactor compactor,
            ClusterLink link,
            Scrubbing scrubbing,
            ProducerLimits producers,
            ReplicationStatus replication) {
        this.replication = replication;
        this.producers = producers;
        this.replicas = replicas;
        this.fetches = fetches;
        this.engines = engines;
        this.services = services;
        this.compactor = compactor;
        this.link = link;
        this.scrubbing = scrubbing;
    }

    List<StatusTable> tables() {
        List<StatusTable> tables = new ArrayList<>(local());
        tables.addAll(replication.tables());
        return tables;
    }

    private List<StatusTable> local() {
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
                services.table(),
                moves(),
                MOVED.row(
                        replicas.moves().pauses().count(),
                        replicas.moves().pauses().longestMs()),
                cluster());
    }

    private StatusTable moves() {
        List<List<Object>> rows = new ArrayList<>();
        for (LogMove move : replicas.moves().list()) {
            rows.add(List.of(
                    move.partition().toString(),
                    move.from(),
                    move.to(),
                    move.phase().name().toLowerCase(Locale.ROOT),
                    move.copiedBytes(),
                    move.offsetLag(),
                    move.problem()));
        }
        return MOVES.rows(rows);
    }

    private StatusTable partitions() {
        return PARTITIONS.row(
                (long) replicas.all().size(),
                count(Replica.Status.LEADING),
                count(Replica.Status.OPENING),
                replicas.all().stream().filter(Replica::isOffline).count());
    }

    private long count(Replica.Status status) {
        return replicas.all().stream()
                .filter(replica -> replica.status == status)
                .count();
    }

    private StatusTable offline() {
        List<List<Object>> rows = new ArrayList<>();
        for (Replica replica : replicas.all()) {
            replicas.lookup()
                    .reasonOffline(replica)
                    .ifPresent(reason -> rows.add(List.of(replica.partition.toString(), replica.engine, reason)));
        }
        return OFFLINE.rows(rows);
    }

    private StatusTable damage() {
        List<List<Object>> rows = new ArrayList<>();
        replicas.openLogs().forEach(log -> log.scrub()
                .damages()
                .all()
                .forEach(damage -> rows.add(List.of(
                        log.partition().toString(),
                        log.engine().name(),
                        Long.toString(damage.from()),
                        damage.to(),
                        damage.foundAtMs(),
                        damage.what()))));
        return DAMAGE.rows(rows);
    }

    private StatusTable scrub() {
        return SCRUB.rows(scrubbing.rows());
    }

    private StatusTable recovery() {
        OpeningTimes times = replicas.openingTimes();
        return RECOVERY.row((long) times.openedCount(), times.lastMs(), (long) times.waitingCount());
    }

    private StatusTable producers() {
        return PRODUCERS.row(replicas.rememberedProducers(), producers.maxOfNode(), producers.forgotten());
    }

    private StatusTable recompression() {
        BatchAdmission admission = replicas.admission();
        return RECOMPRESSION.row(admission.recompressed(), admission.waiting());
    }

    private StatusTable compaction() {
        List<CompactionProgress> all =
                compactions().map(log -> log.compaction().progress()).toList();
        CompactionLimits limits = compactor.limits();
        return COMPACTION.row(
                sum(all, CompactionProgress::runs),
                (long) limits.runs(),
                all.stream().filter(one -> !one.lastFailure().isEmpty()).count(),
                Math.round(100 * dirtiest(all)),
                sum(all, CompactionProgress::readBytes),
                sum(all, CompactionProgress::writtenBytes),
                sum(all, CompactionProgress::savedBytes),
                limits.keyBytes(),
                limits.keyBytesLimit());
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
        return COMPACTED_LOGS.rows(rows);
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
        return FETCHES.row((long) fetches.parkedCount());
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
        return STORAGE.rows(rows);
    }

    private StatusTable cluster() {
        return CLUSTER.row(link.view().version(), link.isConnected());
    }
}
