package io.felice.storage.mvstore;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.FeliceException;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A set of logs and the store files that have their batches. A log belongs to one shard for ever, by its id. What happens
 * to the files of one shard is no matter of the others.
 */
final class StoreShard {
    private static final Logger LOG = LoggerFactory.getLogger(StoreShard.class);
    private static final int SETTLE_SECONDS = 60;

    private final int index;
    private final StoreResources shared;
    private final Generations generations;
    private final CommitThread commits;
    private final FlushGroup flushes;
    private final Map<LogId, StoredLog> logs = new ConcurrentHashMap<>();
    /** The files that get segments of which nobody knows yet. */
    private final Queue<StoreFile> entered = new ConcurrentLinkedQueue<>();

    private final AtomicInteger nextLog = new AtomicInteger();
    private final AtomicInteger nextSegment = new AtomicInteger();

    private StoreShard(int index, Path directory, StoreResources shared, boolean afterPowerCut) {
        this.index = index;
        this.shared = shared;
        this.generations = new Generations(index, directory, shared, afterPowerCut);
        this.commits = new CommitThread(this, generations, shared, index);
        this.flushes = new FlushGroup(generations, shared);
    }

    /**
     * Opens the store files of a shard and reads which logs they have.
     *
     * @param afterPowerCut true if what was not flushed may be missing
     */
    static StoreShard open(int index, Path directory, StoreResources shared, boolean afterPowerCut) throws IOException {
        StoreShard shard = new StoreShard(index, directory, shared, afterPowerCut);
        boolean open = false;
        try {
            shard.generations.open();
            if (shard.generations.newest() != null) {
                shard.load(shard.generations.newest());
            }
            open = true;
        } finally {
            if (!open) {
                shard.generations.close();
            }
        }
        shard.commits.start();
        return shard;
    }

    // ---- opening

    private void load(StoreFile newest) throws IOException {
        Map<Integer, Map<Integer, SegmentEntry>> segments = new HashMap<>();
        int[] largest = {newest.largestSegment(), -1};
        newest.forEachSegment((number, value) -> {
            SegmentEntry entry = SegmentEntry.decode(value);
            largest[0] = Math.max(largest[0], (int) number);
            segments.computeIfAbsent(entry.log(), unused -> new HashMap<>()).put((int) number, entry);
            return true;
        });
        nextSegment.set(largest[0] + 1);
        Map<Integer, LogEntry> entries = new HashMap<>();
        newest.forEachLog((number, value) -> {
            largest[1] = Math.max(largest[1], (int) number);
            entries.put((int) number, LogEntry.decode(value));
            return true;
        });
        nextLog.set(largest[1] + 1);
        for (Map.Entry<Integer, LogEntry> log : entries.entrySet()) {
            LogId id = log.getValue().id();
            StoredLog stored = new StoredLog(id, log.getKey(), this, shared);
            load(stored, log.getValue(), segments.getOrDefault(log.getKey(), Map.of()), newest);
            logs.put(id, stored);
        }
        newest.commit();
        generations.deleteUnused(usedFiles());
    }

    /** A log with a segment in a damaged file is dead. Without the file that the operator took away it goes on. */
    private void load(StoredLog log, LogEntry entry, Map<Integer, SegmentEntry> entries, StoreFile newest)
            throws IOException {
        List<StoredSegment> segments = new ArrayList<>();
        for (Map.Entry<Integer, SegmentEntry> each : entries.entrySet()) {
            SegmentEntry segment = each.getValue();
            StoreFile file = generations.get(segment.generation());
            IOException damage = generations.damageOf(segment.generation());
            if (damage != null) {
                log.load(entry, List.of(), newest);
                log.retire(KAFKA_STORAGE_ERROR.because(
                        log + " is offline: " + damage.getMessage()
                                + ". Restore the file from a backup, or move it away"
                                + " and start again: the log then goes on without the records in it",
                        damage));
                return;
            }
            if (file == null) {
                LOG.warn(
                        "{} has lost the records from offset {} to {}: generation {} of shard {} is not there any more",
                        log,
                        segment.base(),
                        segment.next() - 1,
                        segment.generation(),
                        index);
                segment = segment.emptied(newest.generation());
                newest.putSegment(each.getKey(), segment);
                file = newest;
            }
            segments.add(StoredSegment.of(each.getKey(), segment, file));
        }
        segments.sort(Comparator.comparingLong(StoredSegment::base));
        log.load(entry, segments, newest);
    }

    // ---- logs

    Set<LogId> logs() {
        return Set.copyOf(logs.keySet());
    }

    Collection<StoredLog> all() {
        return logs.values();
    }

    PartitionLog open(LogId id, long lease) {
        while (true) {
            StoredLog log =
                    logs.computeIfAbsent(id, unused -> new StoredLog(id, nextLog.getAndIncrement(), this, shared));
            if (!log.isDead()) {
                endSetAside(log);
                return log.lend(lease);
            }
            commits.change(log, null, newest -> openAgain(log, newest));
        }
    }

    private void endSetAside(StoredLog log) {
        if (log.isSetAside()) {
            commits.change(log, null, newest -> log.setAside(false, newest));
        }
    }

    /** A log that failed is opened again as the newest file has it. */
    private Runnable openAgain(StoredLog failed, StoreFile newest) throws IOException {
        if (logs.get(failed.id()) != failed) {
            return () -> {};
        }
        Map<Integer, SegmentEntry> segments = new HashMap<>();
        newest.forEachSegment((number, value) -> {
            SegmentEntry entry = SegmentEntry.decode(value);
            if (entry.log() == failed.number()) {
                segments.put((int) number, entry);
                generations.repair(entry.generation());
            }
            return true;
        });
        StoredLog fresh = new StoredLog(failed.id(), failed.number(), this, shared);
        fresh.inherit(failed.newestLease(), failed.sizes());
        LogEntry entry = newest.log(failed.number());
        if (entry != null) {
            load(fresh, entry, segments, newest);
        }
        if (fresh.isDead()) {
            throw fresh.causeOfDeath();
        }
        return () -> {
            logs.put(failed.id(), fresh);
            failed.retire(KAFKA_STORAGE_ERROR.because(failed.id() + " was opened again"));
        };
    }

    void delete(LogId id) {
        StoredLog log = logs.get(id);
        if (log == null) {
            return;
        }
        FeliceException reason = KAFKA_STORAGE_ERROR.because(id + " was deleted");
        log.die(reason);
        commits.change(log, null, newest -> {
            removeEntries(log, newest);
            return () -> {
                logs.remove(id, log);
                log.retire(reason);
            };
        });
    }

    private static void removeEntries(StoredLog log, StoreFile newest) throws IOException {
        List<Integer> numbers = new ArrayList<>();
        newest.forEachSegment((number, value) -> {
            if (SegmentEntry.decode(value).log() == log.number()) {
                numbers.add((int) number);
            }
            return true;
        });
        for (int number : numbers) {
            newest.removeSegment(number);
        }
        newest.removeLog(log.number());
    }

    void setAside(LogId id) {
        StoredLog log = logs.get(id);
        if (log != null && log.isSaved() && !log.isSetAside()) {
            commits.change(log, null, newest -> log.setAside(true, newest));
        }
    }

    // ---- what logs need

    int nextSegment() {
        return nextSegment.getAndIncrement();
    }

    CommitThread commits() {
        return commits;
    }

    CompletionStage<Void> flush(StoredLog log, long upTo) {
        return flushes.flush(log, upTo);
    }

    /** What a handle does before it lets go of a log. */
    void settleBeforeClose(StoredLog log) {
        if (log.isDead()) {
            return;
        }
        try {
            log.settle(log.endOffset()).toCompletableFuture().get(SETTLE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException failure) {
            LOG.warn("{} was closed before all of it was committed: {}", log, failure.toString());
        }
    }

    /**
     * The newest file, which stays until {@link #leave} also if nobody names a segment in it; the first one is begun. Any
     * thread but the shard's.
     */
    StoreFile enterNewest() {
        while (true) {
            commits.mustRun();
            StoreFile newest = generations.newest();
            if (newest == null) {
                commits.betweenCommits(commits::usable);
            } else if (newest.enter()) {
                entered.add(newest);
                return newest;
            }
        }
    }

    StoreFile newestFile() {
        return generations.newest();
    }

    /** The files that are not written to any more. */
    List<StoreFile> olderFiles() {
        StoreFile newest = generations.newest();
        return generations.all().stream().filter(file -> file != newest).toList();
    }

    /** Closes older files that nobody read for a while; the next reader opens them again. */
    void restOlderFiles(long idleNanos) {
        long now = System.nanoTime();
        olderFiles().stream()
                .filter(file -> file.isAwake() && now - file.lastUse() > idleNanos)
                .forEach(StoreFile::rest);
    }

    /** The files as they are after one commit; each is entered. */
    List<StoreBackup.Frozen> freeze() {
        List<StoreBackup.Frozen> frozen = new ArrayList<>();
        if (generations.newest() != null) {
            commits.betweenCommits(() -> {
                for (StoreFile file : generations.all()) {
                    if (file.enter()) {
                        frozen.add(StoreBackup.Frozen.of(file));
                    }
                }
            });
        }
        return frozen;
    }

    /** Lets the logs go on in a new file. */
    void rotate() {
        commits.betweenCommits(commits::rotate);
    }

    void leave(StoreFile file) {
        if (entered.remove(file)) {
            file.leave();
        }
    }

    /** What was committed survives a power cut on return. */
    void flushNow() {
        try {
            flushes.flushNow();
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because(failure.getMessage(), failure);
        }
    }

    /**
     * The files that must not be deleted. A log that is offline because one of its files is damaged knows none of its
     * segments, so all files stay until the log is online again: its records are in them.
     */
    Set<StoreFile> usedFiles() {
        Set<StoreFile> used = new HashSet<>(entered);
        logs.values().forEach(log -> log.storedSegments().forEach(segment -> used.add(segment.file())));
        if (logs.values().stream().anyMatch(StoredLog::isOfflineSinceOpening)) {
            used.addAll(generations.all());
        }
        return used;
    }

    /** Gives back the memory of logs that nobody reads. */
    void dropUnread() {
        logs.values().forEach(StoredLog::dropUnread);
    }

    // ---- numbers

    int fileCount() {
        return generations.all().size();
    }

    long openFileCount() {
        return generations.all().stream().filter(StoreFile::isAwake).count();
    }

    long fileBytes() {
        return generations.sizeInBytes();
    }

    long cachedBytes() {
        return generations.all().stream().mapToLong(StoreFile::cachedBytes).sum();
    }

    long liveBytes() {
        return logs.values().stream()
                .flatMap(log -> log.storedSegments().stream())
                .mapToLong(StoredSegment::storedBytes)
                .sum();
    }

    // ---- the end

    /** Commits what waits, and closes the files. */
    void close() {
        commits.close();
        FeliceException stopped = KAFKA_STORAGE_ERROR.because("the engine was stopped");
        logs.values().forEach(log -> log.retire(stopped));
        generations.close();
        // Nothing is written any more: whoever still has a replacement cannot go on with it.
        for (StoreFile file = entered.poll(); file != null; file = entered.poll()) {
            file.leave();
        }
    }

    /** After {@link #close}: waits until nobody uses the files any more; false if somebody does after that time. */
    boolean awaitGone(long nanos) {
        return generations.awaitGone(nanos);
    }
}
