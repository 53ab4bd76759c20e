package io.felice.storage.mvstore;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.FeliceException;
import io.felice.api.config.ReadOnce;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.StorageEngine;
import io.felice.api.storage.StoreMaintenance;
import io.felice.api.storage.Volume;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
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
 * An engine for many small topics: their logs share a few store files of H2 MVStore. The directory is taken at the first
 * call, not at activation, and given back at deactivation, when everything is committed.
 */
@Component(
        immediate = true,
        service = {StorageEngine.class, StatusSource.class, StoreMaintenance.class},
        property = StorageEngine.NAME + "=" + MvStorageEngine.NAME_OF_ENGINE,
        configurationPid = "io.felice.storage.mvstore")
@Designate(ocd = MvStorageEngine.Config.class)
public final class MvStorageEngine implements StorageEngine, StatusSource, StoreMaintenance, AutoCloseable {
    @ObjectClassDefinition(
            name = "Felice storage: mvstore",
            description = "The logs of many small topics in a few store files.")
    public @interface Config {
        @AttributeDefinition(description = "The directory of the store files; only one process at a time can use it.")
        String directory() default "data/mvstore";

        @AttributeDefinition(
                description = "How many store files are written side by side. One serves 16 to 64 partitions well. A"
                        + " directory keeps the number that it was made with.",
                min = "1",
                max = "64")
        int shards() default 4;

        @AttributeDefinition(description = "A store file that has more bytes gets a successor.", min = "1048576")
        long file_bytes() default 268_435_456L;

        @AttributeDefinition(
                description = "Memory for the batches of all partitions together, in bytes: those that are not"
                        + " committed, and the newest for readers.",
                min = "1048576")
        long memory_bytes() default 67_108_864L;

        @AttributeDefinition(
                description = "Memory for pages of the store files that are written to, in bytes. Each older file has"
                        + " at most 2 MB besides.",
                min = "0")
        long cache_bytes() default 67_108_864L;
    }

    static final String NAME_OF_ENGINE = "mvstore";

    private static final Logger LOG = LoggerFactory.getLogger(MvStorageEngine.class);
    private static final Set<EngineTrait> TRAITS = Set.of(EngineTrait.values());
    /** A file of which no more is used is emptied by the engine itself. */
    private static final int USED_PERCENT = 25;
    /** A file of which no more is used is emptied if an operator wants the space. */
    private static final int WANTED_USED_PERCENT = 80;

    /** Between two commits of a compaction that nobody asked for: about 25 MB are moved in a second. */
    private static final long PAUSE_MS = 20;

    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(5);
    private static final int STOP_SECONDS = 60;
    private static final int IDLE_THREAD_SECONDS = 10;
    private static final int UPKEEP_SECONDS = 5;
    /** An older file that nobody read for this time is closed. */
    private static final long REST_NANOS = TimeUnit.SECONDS.toNanos(30);
    /** A shard that could not be opened is tried again after this time. */
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final int RECENT_BYTES = 256 << 10;
    private static final int FLUSH_THREADS = 2;
    private static final TableSchema STATUS = TableSchema.of("storage.mvstore", "The store of the engine mvstore")
            .label("directory", "The directory of the store's files")
            .gauge("shards", "Shards that are open")
            .gauge("logs", "Logs in the store")
            .counter("logs.failed", "Logs that could not be read or written any more")
            .gauge("files", "Files of the store")
            .gauge("files.open", "Files that are open")
            .counter("files.deleted", "Files that were deleted because nothing in them was used")
            .gauge("file.bytes", Unit.BYTES, "Bytes of all files")
            .gauge("live.bytes", Unit.BYTES, "Bytes of them that are used")
            .counter("commits", "Commits of shards")
            .gauge("logs.per.commit", "Logs that a commit was for, on the average")
            .counter("committed.bytes", Unit.BYTES, "Bytes of records that were committed")
            .gauge("longest.commit.ms", Unit.MILLISECONDS, "The longest commit")
            .counter("fsyncs", "Fsyncs of files")
            .gauge("memory.uncommitted.bytes", Unit.BYTES, "Memory with batches that are not committed")
            .gauge("memory.kept.bytes", Unit.BYTES, "Memory with committed batches that are kept for readers")
            .gauge("memory.limit.bytes", Unit.BYTES, "How much memory both may take")
            .gauge("cache.bytes", Unit.BYTES, "Memory of the store's cache")
            .text("work", "The backup or compaction that runs now")
            .gauge("work.done.bytes", Unit.BYTES, "How far this work is")
            .gauge("work.total.bytes", Unit.BYTES, "The size of this work");

    private final Path path;
    private final Supplier<Volume> volume;
    private final StoreResources shared;
    private final ThreadPoolExecutor flusher;
    private final ScheduledThreadPoolExecutor upkeep;
    private volatile List<Slot> slots;
    private volatile boolean closed;
    private volatile Config inForce;
    private volatile StoreWork work;
    private volatile long noCompactionBefore = System.nanoTime();
    private StoreDirectory directory;
    private String clusterId;

    /** The place of a shard, which is empty while a file of the shard cannot be opened. */
    private final class Slot {
        private final int index;
        private volatile StoreShard shard;
        private IOException failure;
        private long failedAt;

        Slot(int index) {
            this.index = index;
        }

        /** The shard; opened now if that failed some time ago. */
        synchronized StoreShard get() {
            long now = System.nanoTime();
            if (shard == null && (failure == null || now - failedAt > RETRY_NANOS)) {
                try {
                    mustBeOpen();
                    shard = StoreShard.open(index, path, shared, directory.isAfterPowerCut());
                    failure = null;
                } catch (IOException notOpen) {
                    LOG.error("{}", notOpen.getMessage());
                    failure = notOpen;
                    failedAt = now;
                }
            }
            if (shard == null) {
                throw KAFKA_STORAGE_ERROR.because(failure.getMessage(), failure);
            }
            return shard;
        }

        /** Closes the shard, also if it is being opened at this moment. */
        synchronized void close() {
            ifOpen().ifPresent(StoreShard::close);
        }

        Optional<StoreShard> ifOpen() {
            return Optional.ofNullable(shard);
        }
    }

    @Activate
    public MvStorageEngine(Config config) {
        this(
                Path.of(config.directory()),
                new StoreSettings(
                        config.shards(),
                        config.file_bytes(),
                        RECENT_BYTES,
                        config.memory_bytes(),
                        config.cache_bytes(),
                        FLUSH_THREADS));
        inForce = config;
    }

    MvStorageEngine(Path path, StoreSettings settings) {
        this(path, settings, "", Clock.systemUTC(), null);
    }

    /**
     * @param fileSystem what stands before the path of a store file for MVStore; empty for the disk
     * @param otherVolume stands for the volume of the directory; null for that
     */
    MvStorageEngine(Path path, StoreSettings settings, String fileSystem, Clock clock, Supplier<Volume> otherVolume) {
        this.volume = otherVolume == null ? this::volumeOfDirectory : otherVolume;
        this.path = path.toAbsolutePath().normalize();
        this.flusher = new ThreadPoolExecutor(
                settings.flushThreads(),
                settings.flushThreads(),
                IDLE_THREAD_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                threads("felice-storage-mvstore-flush-"));
        this.flusher.allowCoreThreadTimeOut(true);
        this.upkeep = new ScheduledThreadPoolExecutor(1, threads("felice-storage-mvstore-upkeep-"));
        this.shared = new StoreResources(
                settings,
                fileSystem,
                clock,
                volume,
                new SpareFile(this.path, volume),
                new BatchMemory(settings.memoryBytes()),
                new StoreCounters(),
                flusher);
    }

    private static ThreadFactory threads(String prefix) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, prefix + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** A new engine would have to close and open every log; that is for the operator to ask for. */
    @Modified
    void modified(Config wanted) {
        ReadOnce.compare("io.felice.storage.mvstore", Config.class, inForce, wanted, Set.of());
    }

    @Override
    public Set<EngineTrait> traits() {
        return TRAITS;
    }

    @Override
    public Volume volume() {
        return volume.get();
    }

    private Volume volumeOfDirectory() {
        String logDir = "mvstore:" + path;
        try {
            Path there = path;
            while (there != null && !Files.exists(there)) {
                there = there.getParent();
            }
            FileStore volume = Files.getFileStore(there == null ? path.getRoot() : there);
            return new Volume(logDir, volume.getTotalSpace(), volume.getUsableSpace());
        } catch (IOException unknown) {
            LOG.debug("The size of the volume of {} is not known: {}", path, unknown.toString());
            return new Volume(logDir, -1, -1);
        }
    }

    @Override
    public synchronized void belongTo(String cluster) {
        clusterId = cluster;
        slots();
        try {
            directory.belongTo(cluster);
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because(path + " cannot be made the directory of a cluster: " + failure, failure);
        }
    }

    @Override
    public PartitionLog open(LogId id, long lease) {
        return shardOf(id).open(id, lease);
    }

    @Override
    public void delete(LogId id) {
        shardOf(id).delete(id);
    }

    @Override
    public void setAside(LogId id) {
        shardOf(id).setAside(id);
    }

    @Override
    public Set<LogId> logs() {
        Set<LogId> all = new HashSet<>();
        slots().forEach(slot -> slot.ifOpen().ifPresent(shard -> all.addAll(shard.logs())));
        return all;
    }

    private StoreShard shardOf(LogId id) {
        List<Slot> all = slots();
        int hash = id.hashCode() * 0x9E37_79B1;
        return all.get(Integer.remainderUnsigned(hash ^ hash >>> 16, all.size()))
                .get();
    }

    private void mustBeOpen() {
        if (closed) {
            throw KAFKA_STORAGE_ERROR.because("the engine of " + path + " was stopped");
        }
    }

    private List<Slot> slots() {
        List<Slot> open = slots;
        return open != null ? open : takeDirectory();
    }

    /** Takes the directory at the first call, and tries again at the next if that failed. */
    private synchronized List<Slot> takeDirectory() {
        mustBeOpen();
        if (slots == null) {
            StoreDirectory taken = StoreDirectory.open(path, shared, clusterId);
            List<Slot> all =
                    IntStream.range(0, taken.shards()).mapToObj(Slot::new).toList();
            directory = taken;
            atTheSameTime(all, this::tryToOpen);
            noteRecovered(all);
            slots = all;
            upkeep.scheduleWithFixedDelay(this::doUpkeep, 0, UPKEEP_SECONDS, TimeUnit.SECONDS);
            LOG.info("{} holds {} logs", path, logs().size());
        }
        return slots;
    }

    private void atTheSameTime(List<Slot> all, Consumer<Slot> work) {
        CompletableFuture.allOf(all.stream()
                        .map(slot -> CompletableFuture.runAsync(() -> work.accept(slot), flusher))
                        .toArray(CompletableFuture[]::new))
                .join();
    }

    private void tryToOpen(Slot slot) {
        try {
            slot.get();
        } catch (FeliceException failure) {
            LOG.debug("Shard {} is offline", slot.index, failure);
        }
    }

    private void noteRecovered(List<Slot> all) {
        try {
            if (all.stream().allMatch(slot -> slot.ifOpen().isPresent())) {
                directory.noteRecovered();
            }
        } catch (IOException failure) {
            LOG.warn("The next start of {} looks for traces of the same power cut: {}", path, failure.toString());
        }
    }

    private List<StoreShard> openShards() {
        List<Slot> all = slots;
        return all == null
                ? List.of()
                : all.stream().flatMap(slot -> slot.ifOpen().stream()).toList();
    }

    private void doUpkeep() {
        try {
            shared.spare().makeIfThereIsRoom();
            openShards().forEach(StoreShard::dropUnread);
            restOlderFiles(REST_NANOS);
            compactIfWorthIt();
        } catch (RuntimeException | Error failure) {
            LOG.warn("The upkeep of {} was cut short", path, failure);
        }
    }

    void restOlderFiles(long idleNanos) {
        openShards().forEach(shard -> shard.restOlderFiles(idleNanos));
    }

    // ---- maintenance

    @Override
    public String engine() {
        return NAME_OF_ENGINE;
    }

    @Override
    public Work compact() {
        slots();
        return begin("compaction", work -> {
            long before = fileBytes();
            for (StoreShard shard : openShards()) {
                StoreCompaction compaction = new StoreCompaction(shard, shared, WANTED_USED_PERCENT, 0);
                if (compaction.isNewestWorthIt()) {
                    shard.rotate();
                }
                compaction.run(work);
            }
            return "The store files had " + before + " bytes and have " + fileBytes() + " bytes now; "
                    + work.doneBytes() + " bytes were moved";
        });
    }

    @Override
    public Work backUp(Path to) {
        slots();
        StoreBackup backup = new StoreBackup(path, to);
        backup.mustBePossible();
        return begin("backup", work -> backup.run(openShards(), work));
    }

    private void compactIfWorthIt() {
        if (System.nanoTime() - noCompactionBefore < 0 || isWorking()) {
            return;
        }
        List<StoreCompaction> worthIt = openShards().stream()
                .map(shard -> new StoreCompaction(shard, shared, USED_PERCENT, PAUSE_MS))
                .filter(StoreCompaction::isWorthIt)
                .toList();
        if (worthIt.isEmpty()) {
            return;
        }
        begin("compaction", work -> {
                    for (StoreCompaction compaction : worthIt) {
                        compaction.run(work);
                    }
                    return "";
                })
                .outcome()
                .whenComplete((nothing, failure) -> {
                    if (failure != null && !closed) {
                        noCompactionBefore = System.nanoTime() + PATIENCE_NANOS;
                        LOG.warn(
                                "Store files of {} were not compacted; the next attempt is in 5 minutes: {}",
                                path,
                                failure.getMessage());
                    }
                });
    }

    private boolean isWorking() {
        StoreWork running = work;
        return running != null && !running.isDone();
    }

    private synchronized StoreWork begin(String name, StoreWork.Job job) {
        mustBeOpen();
        if (isWorking()) {
            throw KAFKA_STORAGE_ERROR.because("a " + work.name() + " of " + path + " is running: try again when it is"
                    + " done, see felice:status storage.mvstore");
        }
        StoreWork begun = new StoreWork(name);
        work = begun;
        Thread thread = new Thread(() -> begun.run(job), "felice-storage-mvstore-" + name);
        thread.setDaemon(true);
        thread.start();
        return begun;
    }

    private long fileBytes() {
        return openShards().stream().mapToLong(StoreShard::fileBytes).sum();
    }

    // ---- status

    @Override
    public List<StatusTable> tables() {
        List<StoreShard> all = openShards();
        StoreCounters counters = shared.counters();
        long commits = counters.commits.sum();
        StoreWork running = isWorking() ? work : null;
        List<Object> row = List.of(
                path.toString(),
                (long) all.size(),
                all.stream().mapToLong(shard -> shard.logs().size()).sum(),
                counters.failedLogs.sum(),
                all.stream().mapToLong(StoreShard::fileCount).sum(),
                all.stream().mapToLong(StoreShard::openFileCount).sum(),
                counters.deletedFiles.sum(),
                fileBytes(),
                all.stream().mapToLong(StoreShard::liveBytes).sum(),
                commits,
                commits == 0 ? 0.0 : (double) counters.committedLogs.sum() / commits,
                counters.committedBytes.sum(),
                TimeUnit.NANOSECONDS.toMillis(counters.longestCommit.get()),
                counters.fsyncs.sum(),
                shared.memory().uncommittedBytes(),
                shared.memory().keptBytes(),
                shared.memory().limit(),
                all.stream().mapToLong(StoreShard::cachedBytes).sum(),
                running == null ? "" : running.name(),
                running == null ? 0L : running.doneBytes(),
                running == null ? 0L : running.totalBytes());
        return List.of(STATUS.rows(List.of(row)));
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
        StoreWork running = work;
        if (running != null) {
            running.stop();
        }
        stop(upkeep);
        List<Slot> all = slots;
        if (all != null) {
            atTheSameTime(all, Slot::close);
        }
        boolean isStopped = stop(flusher);
        if (!awaitGone()) {
            LOG.warn(
                    "Store files of {} are still read or copied after {} s and stay open until that ends",
                    path,
                    STOP_SECONDS);
            isStopped = false;
        }
        synchronized (this) {
            if (directory != null) {
                if (isStopped) {
                    directory.markClean();
                }
                directory.close();
            }
        }
    }

    private boolean awaitGone() {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(STOP_SECONDS);
        return openShards().stream().allMatch(shard -> shard.awaitGone(deadline - System.nanoTime()));
    }

    /** Lets what is queued run, then ends the threads; never by an interrupt, which would close files under others. */
    private static boolean stop(ThreadPoolExecutor executor) {
        executor.shutdown();
        try {
            boolean isStopped = executor.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS);
            if (!isStopped) {
                LOG.warn("Storage threads are still busy after {} s and are left alone", STOP_SECONDS);
            }
            return isStopped;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
