package io.felice.storage.log;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.config.ReadOnce;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.StorageEngine;
import io.felice.api.storage.Volume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The default storage engine: keeps each partition's log as segment files in Kafka's layout. The first call locks the
 * engine's directory; activation does not touch it. Deactivation settles and flushes every log, writes Kafka's marker
 * of a clean shutdown, and unlocks the directory.
 */
@Component(
        immediate = true,
        service = {StorageEngine.class, StatusSource.class},
        property = StorageEngine.NAME + "=log",
        configurationPid = "io.felice.storage.log")
@Designate(ocd = LogStorageEngine.Config.class)
public final class LogStorageEngine implements StorageEngine, StatusSource, AutoCloseable {
    @ObjectClassDefinition(name = "Felice storage: log", description = "Append-only segment files in Kafka's layout.")
    public @interface Config {
        @AttributeDefinition(description = "The directory of the logs; only one process at a time can use it.")
        String directory() default "data/log";

        @AttributeDefinition(
                description = "Most memory for the newest batches of one partition, in bytes.",
                min = "32768")
        int tail_bytes() default 524_288;

        @AttributeDefinition(
                description = "Memory for the newest batches of all partitions together, in bytes.",
                min = "0")
        long tail_budget_bytes() default 67_108_864L;

        @AttributeDefinition(
                description = "Most idle files that stay open; fewer if the process may open only few files.",
                min = "1")
        int open_files() default 8_000;

        @AttributeDefinition(
                description = "Threads that flush files to the disk. Files that are flushed at the same time share the"
                        + " commits of the file system's journal. Idle threads end.",
                min = "1")
        int flush_threads() default 16;
    }

    private static final Logger LOG = LoggerFactory.getLogger(LogStorageEngine.class);
    private static final Set<EngineTrait> TRAITS = Set.of(EngineTrait.values());
    private static final int SWEEP_SECONDS = 5;
    private static final long CUT_OFF_ZEROS_MS = 500;
    private static final int SWEEPS_PER_CHECKPOINT = 12;
    private static final int STOP_SECONDS = 60;
    private static final int IDLE_THREAD_SECONDS = 10;
    private static final TableSchema STATUS = TableSchema.of("storage.log", "The engine log")
            .label("directory", "The directory of the logs")
            .gauge("logs.open", "Logs that are open")
            .counter("logs.failed", "Logs that could not be read or written any more")
            .gauge("files.open", "Files that are open")
            .gauge("files.limit", "How many files may be open")
            .gauge("files.to.delete", "Files that are deleted when nobody reads them")
            .gauge("tail.bytes", Unit.BYTES, "Memory with the newest batches of logs")
            .gauge("tail.budget.bytes", Unit.BYTES, "How much memory these batches may take")
            .gauge("index.bytes", Unit.BYTES, "Memory of the indexes")
            .gauge("pinned.bytes", Unit.BYTES, "Bytes of answers that are being sent")
            .counter("settles", "How often the batches of a log were written to its file")
            .counter("written.bytes", Unit.BYTES, "Bytes that were written to files")
            .counter("fsyncs", "Fsyncs of files")
            .counter("recovered.logs", "Logs that were recovered because they had not been closed")
            .counter("recovery.scanned.bytes", Unit.BYTES, "Bytes that were read to recover logs")
            .counter("recovery.ms", Unit.MILLISECONDS, "The time that recovery took, all logs together");

    private final Path path;
    private final LogResources shared;
    private final ThreadPoolExecutor flusher;
    private final ScheduledThreadPoolExecutor sweeper;
    private final boolean sweeps;

    private final Map<LogId, Slot> slots = new ConcurrentHashMap<>();
    private volatile LogDirectory directory;
    private volatile String clusterId;
    private volatile boolean closed;
    private volatile List<Future<Boolean>> closing = List.of();
    private volatile Config inForce;
    private int sweepsDone;

    /**
     * The place of one log. A thread that opens the log holds the slot's monitor, so that other logs can be opened
     * meanwhile.
     */
    private static final class Slot {
        private volatile SegmentedLog log;
    }

    @Activate
    public LogStorageEngine(Config config) {
        this(
                Path.of(config.directory()),
                new LogSettings(
                        config.tail_bytes(), config.tail_budget_bytes(), config.open_files(), config.flush_threads()));
        inForce = config;
    }

    public LogStorageEngine(Path path, LogSettings settings) {
        this(path, settings, new DiskFiles(), Clock.systemUTC());
    }

    LogStorageEngine(Path path, LogSettings settings, DiskFiles files, Clock clock) {
        this(path, settings, files, clock, true);
    }

    /** @param sweeps true if the engine sweeps and cuts off zeros regularly; false if a test calls both */
    LogStorageEngine(Path path, LogSettings settings, DiskFiles files, Clock clock, boolean sweeps) {
        this(path, settings, files, clock, sweeps, new OpenFiles(settings.openFiles()));
    }

    LogStorageEngine(
            Path path, LogSettings settings, DiskFiles files, Clock clock, boolean sweeps, OpenFiles openFiles) {
        this.sweeps = sweeps;
        this.path = path.toAbsolutePath().normalize();
        this.flusher =
                new ThreadPoolExecutor(
                        settings.flushThreads(),
                        settings.flushThreads(),
                        IDLE_THREAD_SECONDS,
                        TimeUnit.SECONDS,
                        new LinkedBlockingQueue<>(),
                        threads("felice-storage-log-flush-")) {
                    @Override
                    protected void terminated() {
                        releaseDirectory();
                    }
                };
        this.flusher.allowCoreThreadTimeOut(true);
        this.sweeper = new ScheduledThreadPoolExecutor(1, threads("felice-storage-log-sweep-"));
        this.shared = new LogResources(
                files,
                new TailBuffers(settings.tailBudgetBytes(), settings.largestTailBuffer()),
                openFiles,
                new LogCounters(),
                settings,
                clock,
                new VolumeSpace(this::volume, clock),
                flusher);
        files.onShortage(openFiles::closeSome);
    }

    /**
     * Logs which settings need a restart of the bundle. A restart closes and opens every log, so the operator decides.
     */
    @Modified
    void modified(Config wanted) {
        ReadOnce.compare("io.felice.storage.log", Config.class, inForce, wanted, Set.of());
    }

    private static ThreadFactory threads(String prefix) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, prefix + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    @Override
    public Set<EngineTrait> traits() {
        return TRAITS;
    }

    @Override
    public Volume volume() {
        String logDir = "log:" + path;
        try {
            Path there = path;
            while (there != null && !Files.exists(there)) {
                there = there.getParent();
            }
            there = there == null ? path.getRoot() : there;
            return new Volume(
                    logDir, shared.files().totalSpace(there), shared.files().usableSpace(there));
        } catch (IOException unknown) {
            LOG.debug("The size of the volume of {} is not known: {}", path, unknown.toString());
            return new Volume(logDir, -1, -1);
        }
    }

    @Override
    public synchronized void belongTo(String cluster) {
        clusterId = cluster;
        try {
            directory().belongTo(cluster);
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because(path + " cannot be made the directory of a cluster: " + failure, failure);
        }
    }

    @Override
    public PartitionLog open(LogId id, long lease) {
        LogDirectory.mustBeLegal(id);
        LogDirectory taken = directory();
        while (true) {
            Slot slot = slots.computeIfAbsent(id, unused -> new Slot());
            synchronized (slot) {
                if (slots.get(id) == slot) {
                    return log(slot, id, taken).lend(lease);
                }
            }
        }
    }

    private SegmentedLog log(Slot slot, LogId id, LogDirectory taken) {
        mustBeOpen();
        SegmentedLog old = slot.log;
        if (old != null && !old.hasFailed()) {
            return old;
        }
        try {
            if (old != null) {
                old.retire("was opened again");
            }
            if (taken.isStray(id)) {
                taken.restoreName(id);
            }
            SegmentedLog fresh = taken.placeOf(id) == null
                    ? SegmentedLog.empty(id, shared, taken)
                    : SegmentedLog.recovered(id, shared, taken);
            if (old != null) {
                fresh.inherit(old);
            }
            slot.log = fresh;
            return fresh;
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because(id + " cannot be opened: " + failure.getMessage(), failure);
        }
    }

    @Override
    public void delete(LogId id) {
        LogDirectory taken = directory();
        Slot slot = slots.computeIfAbsent(id, unused -> new Slot());
        synchronized (slot) {
            mustBeOpen();
            if (slot.log != null) {
                slot.log.retire("was deleted");
            }
            try {
                Path aside = taken.renameForDeletion(id);
                slots.remove(id, slot);
                if (aside != null) {
                    sweeper.execute(() -> taken.deleteFiles(aside));
                }
            } catch (IOException failure) {
                throw KAFKA_STORAGE_ERROR.because(id + " cannot be deleted: " + failure.getMessage(), failure);
            }
        }
    }

    @Override
    public void setAside(LogId id) {
        LogDirectory taken = directory();
        mustBeOpen();
        if (taken.placeOf(id) == null || taken.isStray(id) || !LogDirectory.canBeNamedStray(id)) {
            return;
        }
        try {
            moveAside(id);
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because(id + " cannot be set aside: " + failure.getMessage(), failure);
        }
    }

    @Override
    public Set<LogId> logs() {
        Set<LogId> all = new HashSet<>(directory().places().keySet());
        slots.forEach((id, slot) -> {
            if (slot.log != null) {
                all.add(id);
            }
        });
        return all;
    }

    /** Locks and reads the directory at the first call. If that fails, the next call tries again. */
    private LogDirectory directory() {
        LogDirectory taken = directory;
        return taken != null ? taken : takeDirectory();
    }

    private synchronized LogDirectory takeDirectory() {
        mustBeOpen();
        if (directory == null) {
            LogDirectory taken = LogDirectory.open(shared.files(), path, clusterId);
            taken.moveAsideBy(this::moveAsideForNewer);
            if (sweeps) {
                scheduleSweeps();
            }
            taken.leftovers().forEach(leftover -> sweeper.execute(() -> taken.deleteFiles(leftover)));
            directory = taken;
            LOG.info("{} holds {} logs", path, taken.places().size());
        }
        return directory;
    }

    private void scheduleSweeps() {
        sweeper.scheduleWithFixedDelay(this::sweepSafely, SWEEP_SECONDS, SWEEP_SECONDS, TimeUnit.SECONDS);
        sweeper.scheduleWithFixedDelay(this::cutOffZeros, CUT_OFF_ZEROS_MS, CUT_OFF_ZEROS_MS, TimeUnit.MILLISECONDS);
    }

    private void mustBeOpen() {
        if (closed) {
            throw KAFKA_STORAGE_ERROR.because("the engine of " + path + " was stopped");
        }
    }

    /** Renames the directory of a log, because a newer topic of the same name needs that directory's name. */
    private void moveAsideForNewer(LogId owner) throws IOException {
        moveAside(owner);
        Path now = directory.places().get(owner);
        if (now != null) {
            LOG.warn("A newer topic has the name of {}; the log of the older topic was moved to {}", owner, now);
        }
    }

    private void moveAside(LogId id) throws IOException {
        Slot slot = slots.computeIfAbsent(id, unused -> new Slot());
        synchronized (slot) {
            if (slot.log != null) {
                slot.log.makeStray();
            } else {
                if (directory.placeOf(id) != null && !directory.isStray(id)) {
                    directory.makeStray(id);
                }
                slots.remove(id, slot);
            }
        }
    }

    private void sweepSafely() {
        try {
            sweep();
        } catch (IOException | RuntimeException failure) {
            LOG.warn("The sweep of {} failed and is tried again: {}", path, failure.toString());
        }
    }

    /**
     * Cuts off the zeros behind the last batches of idle logs, so that other programs can read the files. Also adjusts
     * how many files may be open.
     */
    void cutOffZeros() {
        shared.openFiles().adjustLimit();
        forEachLog(SegmentedLog::cutOffZerosIfIdle);
    }

    /**
     * Releases the memory of idle logs, and writes the recovery points to disk once in {@link #SWEEPS_PER_CHECKPOINT}
     * sweeps.
     */
    void sweep() throws IOException {
        forEachLog(SegmentedLog::sweep);
        if (++sweepsDone % SWEEPS_PER_CHECKPOINT == 0) {
            checkpoint();
        }
    }

    /** A failure of one log is logged and does not stop the work for the other logs. */
    private void forEachLog(Consumer<SegmentedLog> work) {
        slots.forEach((id, slot) -> {
            SegmentedLog log = slot.log;
            try {
                if (log != null) {
                    work.accept(log);
                }
            } catch (RuntimeException | Error failure) {
                LOG.warn("A regular task for {} failed and is tried again", id, failure);
            }
        });
    }

    /** Writes the recovery points of all logs to disk. */
    void checkpoint() throws IOException {
        directory.recoveryPoints().write();
    }

    @Override
    public List<StatusTable> tables() {
        LogCounters counters = shared.counters();
        List<Object> row = List.of(
                path.toString(),
                slots.values().stream().filter(slot -> slot.log != null).count(),
                counters.failedLogs.sum(),
                (long) shared.openFiles().count(),
                (long) shared.openFiles().limit(),
                sum(SegmentedLog::filesToDelete),
                shared.tails().lentBytes(),
                shared.tails().budget(),
                sum(SegmentedLog::indexBytes),
                counters.pinnedBytes.sum(),
                counters.settles.sum(),
                counters.bytesWritten.sum(),
                counters.fsyncs.sum(),
                counters.recoveredLogs.sum(),
                counters.scannedBytes.sum(),
                TimeUnit.NANOSECONDS.toMillis(counters.recoveryNanos.sum()));
        return List.of(STATUS.rows(List.of(row)));
    }

    private long sum(ToLongFunction<SegmentedLog> number) {
        return slots.values().stream()
                .map(slot -> slot.log)
                .filter(Objects::nonNull)
                .mapToLong(number)
                .sum();
    }

    @Override
    @Deactivate
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        stop(sweeper);
        closing = closeLogs();
        stop(flusher);
    }

    private List<Future<Boolean>> closeLogs() {
        List<Future<Boolean>> all = new ArrayList<>();
        for (Slot slot : slots.values()) {
            synchronized (slot) {
                if (slot.log != null) {
                    all.add(flusher.submit(slot.log::closeCleanly));
                }
            }
        }
        return all;
    }

    private static boolean wasClean(Future<Boolean> one) {
        try {
            return one.isDone() && one.get();
        } catch (ExecutionException | InterruptedException failure) {
            LOG.warn("A log was not closed cleanly; the next start scans it: {}", failure.toString());
            return false;
        }
    }

    /**
     * Unlocks the directory once all flush threads have ended, however long that takes: a late write of this engine
     * would overwrite what the next engine has written.
     */
    private void releaseDirectory() {
        LogDirectory released = directory;
        if (released == null) {
            return;
        }
        // The pool interrupts idle threads when it ends, perhaps also this thread; an interrupt would close the file.
        Thread.interrupted();
        try (released) {
            if (closing.stream().allMatch(LogStorageEngine::wasClean)) {
                released.markClean();
            }
        } catch (IOException | RuntimeException failure) {
            LOG.warn("{} was closed without the marker of a clean shutdown: {}", released.path(), failure.toString());
        }
    }

    /**
     * Runs the queued tasks, then ends the threads without an interrupt: an interrupt would close files that others
     * use.
     */
    private static void stop(ExecutorService executor) {
        executor.shutdown();
        try {
            if (!executor.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("Storage threads are still busy after {} s; they finish on their own", STOP_SECONDS);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
