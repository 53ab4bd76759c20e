package io.felice.storage.mvstore;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.FeliceException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that writes the store files of a shard. It takes what all logs have waiting, puts it into the newest file,
 * commits once, and completes what waited for that; and so on with what came meanwhile. What cannot be written fails alone;
 * if the commit fails, all of it does.
 */
final class CommitThread {
    private static final Logger LOG = LoggerFactory.getLogger(CommitThread.class);

    /** About so many bytes go into one commit: the JDK keeps a buffer of up to 1 MB for what a thread writes. */
    private static final long COMMIT_BYTES = 768 << 10;

    /** What nobody asks to be committed waits no longer than this. */
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /**
     * A file with more commits gets a successor: a file takes the longer to open the more commits are in it, and an engine
     * that is started opens the newest file of each shard.
     */
    static final int MOST_COMMITS = 8_192;

    /** A stop begins a new file in the place of one with more commits: opening that would take longer. */
    static final int MOST_COMMITS_AT_STOP = 2_048;

    /** After a failure the next try to begin a file comes when the newest has grown by this part. */
    private static final int RETRY_SHARE = 16;

    private static final int STOP_SECONDS = 60;

    /** A change of what the newest file says of a log. */
    interface Change {
        /**
         * Puts the change into the newest file. A FeliceException refuses the change; nothing was put then.
         *
         * @return applies the change in memory, after the commit
         */
        Runnable write(StoreFile newest) throws IOException;
    }

    /** Something that is put into a store file. */
    interface Puts {
        void run() throws IOException;
    }

    /** @param lease of the log's owner; null for what the engine does by itself */
    private record Submitted(StoredLog log, Long lease, Change change, CompletableFuture<Void> done) {
        Runnable write(StoreFile newest) throws IOException {
            if (lease != null) {
                log.mustOwn(lease);
            }
            return change.write(newest);
        }

        void fail(IOException failure) {
            done.completeExceptionally(
                    KAFKA_STORAGE_ERROR.because(log + " was not changed: " + failure.getMessage(), failure));
        }
    }

    /**
     * A commit of its own, so that its failure is nobody else's.
     *
     * @param file null if nothing is committed
     */
    private record Write(String subject, StoreFile file, Puts puts, CompletableFuture<Void> done) {
        void fail(IOException failure) {
            done.completeExceptionally(KAFKA_STORAGE_ERROR.because(subject + ": " + failure.getMessage(), failure));
        }
    }

    private final StoreShard shard;
    private final Generations generations;
    private final StoreResources shared;
    private final Thread thread;

    private final Queue<StoredLog> withBatches = new ConcurrentLinkedQueue<>();
    private final Queue<Submitted> changes = new ConcurrentLinkedQueue<>();
    private final Queue<Write> writes = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean isAsked = new AtomicBoolean();
    private volatile boolean stopping;

    // Used by the thread only.
    private long rotateAt;

    CommitThread(StoreShard shard, Generations generations, StoreResources shared, int number) {
        this.shard = shard;
        this.generations = generations;
        this.shared = shared;
        this.thread = new Thread(this::run, "felice-storage-mvstore-commit-" + number);
        this.thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    // ---- what it is asked for, by any thread

    /** The log has batches that wait to be committed. */
    void hasBatches(StoredLog log) {
        withBatches.add(log);
    }

    /** Fails once the thread has ended. */
    void mustRun() {
        if (stopping && !thread.isAlive()) {
            throw KAFKA_STORAGE_ERROR.because("the engine was stopped");
        }
    }

    void commitSoon() {
        if (isAsked.compareAndSet(false, true)) {
            LockSupport.unpark(thread);
        }
    }

    /**
     * Changes what the newest file says of a log; on return that is committed.
     *
     * @param lease of the log's owner; null for what the engine does by itself
     */
    void change(StoredLog log, Long lease, Change change) {
        Submitted submitted = new Submitted(log, lease, change, new CompletableFuture<>());
        changes.add(submitted);
        await(submitted.done);
    }

    /** Commits something to a file that need not be the newest. */
    void write(StoredLog log, StoreFile file, Puts puts) {
        await(new Write("segments of " + log + " were not replaced", file, puts, new CompletableFuture<>()));
    }

    /** Does something while nothing is put or committed. */
    void betweenCommits(Puts something) {
        await(new Write("the store files could not be used", null, something, new CompletableFuture<>()));
    }

    private void await(Write write) {
        writes.add(write);
        await(write.done);
    }

    private void await(CompletableFuture<Void> done) {
        commitSoon();
        mustRun();
        try {
            done.join();
        } catch (CompletionException failure) {
            throw failure.getCause() instanceof FeliceException expected ? expected : failure;
        }
    }

    // ---- the thread

    private void run() {
        while (!stopping || hasWork()) {
            awaitWork();
            isAsked.set(false);
            try {
                cycle();
            } catch (RuntimeException | Error accident) {
                LOG.error("A commit failed", accident);
                failAll(new IOException(accident.toString(), accident));
            }
        }
        prepareNextStart();
    }

    /** The next start of the engine opens the newest file: after this, one without many commits. */
    private void prepareNextStart() {
        StoreFile newest = generations.newest();
        if (newest == null || newest.commits() < MOST_COMMITS_AT_STOP) {
            return;
        }
        try {
            succeed();
        } catch (IOException | RuntimeException failure) {
            LOG.debug("The next start opens {}, which takes longer", newest, failure);
        }
    }

    private boolean hasWork() {
        return !withBatches.isEmpty() || !changes.isEmpty() || !writes.isEmpty();
    }

    private void awaitWork() {
        if (!isAsked.get() && !stopping) {
            LockSupport.parkNanos(this, IDLE_NANOS);
        }
    }

    /** Changes are committed after the batches: they are about what is in the file. */
    private void cycle() {
        List<Submitted> submitted = drain(changes);
        List<StoredLog.Put> puts = take(drain(withBatches), submitted);
        if (!puts.isEmpty()) {
            commit(puts, List.of());
        }
        if (!submitted.isEmpty()) {
            commit(List.of(), submitted);
        }
        drain(writes).forEach(this::commitAlone);
        rotateIfLarge();
    }

    private static <T> List<T> drain(Queue<T> queue) {
        List<T> all = new ArrayList<>();
        for (T next = queue.poll(); next != null; next = queue.poll()) {
            all.add(next);
        }
        return all;
    }

    /** The batches for the next commit; all of a log that changes, and no more than about what one commit holds. */
    private List<StoredLog.Put> take(List<StoredLog> logs, List<Submitted> submitted) {
        Set<StoredLog> changing = new HashSet<>();
        submitted.forEach(one -> changing.add(one.log));
        List<StoredLog.Put> puts = new ArrayList<>();
        long bytes = 0;
        for (StoredLog log : logs) {
            boolean isChanging = changing.contains(log);
            if (bytes >= COMMIT_BYTES && !isChanging) {
                withBatches.add(log);
                commitSoon();
                continue;
            }
            StoredLog.Put put = log.take(isChanging ? Long.MAX_VALUE : COMMIT_BYTES - bytes);
            if (put != null) {
                bytes += put.bytes();
                puts.add(put);
            }
        }
        return puts;
    }

    private void commit(List<StoredLog.Put> batches, List<Submitted> asked) {
        List<StoredLog.Put> puts = new ArrayList<>(batches);
        List<Submitted> submitted = new ArrayList<>(asked);
        long began = System.nanoTime();
        List<Runnable> applies = new ArrayList<>();
        StoreFile newest = null;
        try {
            newest = usable();
            while (!write(puts, submitted, newest, applies)) {
                applies.clear();
            }
            newest.commit();
        } catch (IOException failure) {
            commitFailed(puts, submitted, failure);
            return;
        }
        shared.counters().committed(puts, System.nanoTime() - began);
        puts.forEach(StoredLog.Put::committed);
        applies.forEach(Runnable::run);
        submitted.forEach(one -> one.done.complete(null));
        if (!submitted.isEmpty()) {
            deleteUnused();
        }
    }

    /** The newest file, ready to be written to. The shard's thread only. */
    StoreFile usable() throws IOException {
        StoreFile newest = generations.newest();
        if (newest == null) {
            return generations.begin();
        }
        newest.openIfClosed();
        return newest.isDoubtful() ? replaceDoubtful(newest) : newest;
    }

    /** A file that could not be flushed is written anew. */
    private StoreFile replaceDoubtful(StoreFile doubtful) throws IOException {
        LOG.warn("{} is written anew, because it could not be flushed", doubtful);
        StoreFile fresh = generations.begin();
        shard.all().forEach(log -> log.moved(doubtful, fresh));
        deleteUnused();
        return fresh;
    }

    /** False if something could not be put and is out of the lists now: nothing is put, and the caller begins again. */
    private boolean write(List<StoredLog.Put> puts, List<Submitted> submitted, StoreFile newest, List<Runnable> applies)
            throws IOException {
        for (StoredLog.Put put : puts) {
            try {
                put.write(newest);
            } catch (IOException failure) {
                newest.forget(failure);
                puts.remove(put);
                fail(List.of(put), failure);
                return false;
            }
        }
        for (Iterator<Submitted> each = submitted.iterator(); each.hasNext(); ) {
            Submitted one = each.next();
            try {
                applies.add(one.write(newest));
            } catch (IOException failure) {
                newest.forget(failure);
                each.remove();
                one.fail(failure);
                return false;
            } catch (RuntimeException refused) {
                each.remove();
                one.done.completeExceptionally(refused);
            }
        }
        return true;
    }

    /** On a full disk the spare file makes room for changes, which may free more. */
    private void commitFailed(List<StoredLog.Put> puts, List<Submitted> submitted, IOException failure) {
        fail(puts, failure);
        if (!submitted.isEmpty() && shared.spare().giveUp()) {
            commit(List.of(), submitted);
        } else {
            submitted.forEach(one -> one.fail(failure));
        }
    }

    private void fail(List<StoredLog.Put> puts, IOException failure) {
        if (puts.isEmpty()) {
            return;
        }
        if (shared.isFull()) {
            LOG.warn(
                    "{} logs are not written to until they are opened again, for lack of space: {}",
                    puts.size(),
                    failure.getMessage());
        } else {
            LOG.error("{} logs go offline: {}", puts.size(), failure.getMessage());
        }
        for (StoredLog.Put put : puts) {
            shared.counters().failedLogs.increment();
            put.log().fail(failure);
        }
    }

    private void commitAlone(Write write) {
        try {
            if (write.file == null) {
                write.puts.run();
            } else {
                commitAlone(write.file, write.puts);
            }
            write.done.complete(null);
        } catch (IOException failure) {
            write.fail(failure);
        }
    }

    private static void commitAlone(StoreFile file, Puts puts) throws IOException {
        file.openIfClosed();
        try {
            puts.run();
        } catch (IOException failure) {
            file.forget(failure);
            throw failure;
        }
        file.commit();
    }

    private void failAll(IOException failure) {
        drain(withBatches).forEach(log -> log.fail(failure));
        drain(changes).forEach(one -> one.fail(failure));
        drain(writes).forEach(one -> one.fail(failure));
    }

    // ---- generations

    private void rotateIfLarge() {
        StoreFile newest = generations.newest();
        if (newest == null) {
            return;
        }
        long size = newest.sizeInBytes();
        boolean isLarge = size >= shared.mostFileBytes() || newest.commits() >= MOST_COMMITS;
        if (!isLarge || size < rotateAt) {
            return;
        }
        try {
            rotate();
        } catch (IOException failure) {
            rotateAt = size + size / RETRY_SHARE;
            LOG.warn("No new store file was begun after {}: {}", newest, failure.getMessage());
        }
    }

    /** Begins a new file, and deletes those that are not used any more. */
    void rotate() throws IOException {
        succeed();
        rotateAt = 0;
        deleteUnused();
    }

    /** Begins a new file. A segment is in one file, so what belongs to a segment of the old file goes there before. */
    private void succeed() throws IOException {
        List<StoredLog.Put> rest = shard.all().stream()
                .map(StoredLog::leaveFile)
                .filter(Objects::nonNull)
                .toList();
        if (!rest.isEmpty()) {
            commit(rest, List.of());
        }
        generations.begin();
    }

    private void deleteUnused() {
        if (generations.all().size() > 1) {
            generations.deleteUnused(shard.usedFiles());
        }
    }

    // ---- the end

    /** Commits what waits, and ends the thread. */
    void close() {
        stopping = true;
        LockSupport.unpark(thread);
        try {
            thread.join(TimeUnit.SECONDS.toMillis(STOP_SECONDS));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        failAll(new IOException("the engine was stopped"));
    }
}
