package io.felice.storage.mvstore;

import io.felice.api.FeliceException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.h2.mvstore.Cursor;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStoreException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One store file: a generation of a shard. Only the shard's newest file is written to, by the shard's thread; any thread
 * reads. The file is only ever appended to: no space in it is used twice, and the whole file is deleted when no segment in
 * it is used any more.
 *
 * <pre>
 *  map       key                                                value
 *  head      format, store, shard, generation                   text
 *  logs      a log's number                                     {@link LogEntry}
 *  segments  a segment's number                                 {@link SegmentEntry}
 *  batches   segment number &lt;&lt; 32 | last offset - segment base  the bytes of a batch
 * </pre>
 *
 * <p>The maps logs and segments of the shard's newest file are the truth for all of its files. A batch whose segment is not
 * in them, or whose offsets are not within its segment, is not there.
 */
final class StoreFile {
    private static final Logger LOG = LoggerFactory.getLogger(StoreFile.class);

    private static final String DOUBT = ".doubt";

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** The first bytes that MVStore writes. */
    private static final byte[] BEGIN = "H:".getBytes(StandardCharsets.US_ASCII);

    /** Sees a batch; false ends the reading. */
    interface Visitor {
        boolean visit(long key, ByteBuffer batch) throws IOException;
    }

    private final StoreResources shared;
    private final int generation;
    private final int cacheMb;
    private volatile Path path;
    /** Null while the file rests. */
    private volatile OpenStore opened;

    /** True if there may be a part of a commit behind the last whole one. The shard's thread uses it. */
    private volatile boolean mayHaveRest;

    private volatile boolean doubtful;
    private volatile SyncMark committed = SyncMark.NOTHING;
    private volatile SyncMark synced = SyncMark.NOTHING;
    private volatile long lastUse = System.nanoTime();
    /** Held while the file is committed, and until it was opened again if that failed. */
    private final Object reopening = new Object();

    private final CountDownLatch gone = new CountDownLatch(1);

    // Guarded by this.
    private int users;
    private boolean retired;
    private boolean deleted;

    private StoreFile(StoreResources shared, Path path, int generation, int cacheMb) {
        this.shared = shared;
        this.path = path;
        this.generation = generation;
        this.cacheMb = cacheMb;
    }

    /** Opens a file, or makes an empty one. */
    static StoreFile open(StoreResources shared, Path path, int generation, int cacheMb) throws IOException {
        StoreFile file = new StoreFile(shared, path, generation, cacheMb);
        file.doubtful = Files.exists(file.doubtFile());
        file.opened = file.openStore();
        file.synced = SyncMark.of(path);
        file.committed = new SyncMark(file.lengthOfCommits(), file.opened.lastChunk(0));
        return file;
    }

    /**
     * A file that is not written to any more, and whose first user opens it: that takes about ten microseconds for each
     * commit in it. Only for a file that {@link #mayRest}.
     */
    static StoreFile resting(StoreResources shared, Path path, int generation, int cacheMb) throws IOException {
        StoreFile file = new StoreFile(shared, path, generation, cacheMb);
        file.doubtful = Files.exists(file.doubtFile());
        file.synced = SyncMark.of(path);
        file.committed = new SyncMark(Files.size(path), 0);
        return file;
    }

    /**
     * False if the file must be opened to find out whether it is damaged: it does not begin as a store file does, or it is
     * shorter than it was when it was flushed. MVStore shortens a sound file too, when the file is closed.
     */
    static boolean mayRest(Path path) throws IOException {
        return Files.size(path) >= SyncMark.of(path).length() && beginsAsAStoreFile(path);
    }

    private static boolean beginsAsAStoreFile(Path path) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            return Arrays.equals(in.readNBytes(BEGIN.length), BEGIN);
        }
    }

    /** Without what a kill, or a write that failed, has left of a commit. */
    private long lengthOfCommits() {
        long size = opened.sizeInBytes();
        if (!mayHaveRest) {
            return size;
        }
        try {
            long end = Math.min(size, TornFile.endOfLastCommit(path));
            mayHaveRest = end < size;
            return end;
        } catch (IOException unreadable) {
            LOG.debug("Where the last commit of {} ends cannot be read: {}", path, unreadable.toString());
            return size;
        }
    }

    private OpenStore openStore() throws IOException {
        mayHaveRest = true;
        try {
            return OpenStore.open(shared.fileSystem() + path, cacheMb);
        } catch (RuntimeException failure) {
            throw failureOf("opened", failure);
        }
    }

    /** The open store; opened now if the file rested. */
    private OpenStore awake() throws IOException {
        OpenStore now = opened;
        if (now != null) {
            return now;
        }
        synchronized (reopening) {
            if (opened == null) {
                opened = openStore();
            }
            return opened;
        }
    }

    boolean isAwake() {
        return opened != null;
    }

    long lastUse() {
        return lastUse;
    }

    /** Closes an older file that nobody uses, with all that MVStore has of it in memory; its next user opens it again. */
    synchronized void rest() {
        if (users == 0 && !retired && !doubtful) {
            synchronized (reopening) {
                opened.store().closeImmediately();
                opened = null;
            }
        }
    }

    /** True if a file cannot be opened because an engine of this process that was stopped still uses it. */
    static boolean isInUse(IOException failure) {
        return failure.getCause() instanceof MVStoreException store
                && store.getErrorCode() == DataUtils.ERROR_FILE_LOCKED;
    }

    private IOException failureOf(String what, RuntimeException failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && !(cause instanceof IOException)) {
            cause = cause.getCause();
        }
        String why = cause instanceof IOException ? cause.getMessage() : failure.getMessage();
        return new IOException("The store file " + path + " cannot be " + what + ": " + why, failure);
    }

    int generation() {
        return generation;
    }

    Path path() {
        return path;
    }

    /**
     * Reads everything that no fsync has brought to the disk.
     *
     * @param chunk the last one that an fsync has
     * @throws IOException if something is damaged
     */
    void mustBeSoundBehind(int chunk) throws IOException {
        read(now -> {
            now.mustBeSoundBehind(chunk);
            return null;
        });
    }

    /** Closes a file of which nobody knows yet, without a write. */
    void abandon() {
        opened.store().closeImmediately();
    }

    // ---- who uses it

    /** False if the file is on its way out; otherwise it stays open until {@link #leave}. */
    synchronized boolean enter() {
        if (retired) {
            return false;
        }
        users++;
        return true;
    }

    void leave() {
        boolean last;
        synchronized (this) {
            users--;
            last = retired && users == 0;
        }
        if (last) {
            dispose();
        }
    }

    /** No segment in the file is used any more: it is closed and deleted when its last reader has left. */
    void delete() {
        synchronized (this) {
            deleted = true;
        }
        retire();
    }

    /** Closes the file when its last reader has left. */
    void retire() {
        boolean last;
        synchronized (this) {
            if (retired) {
                return;
            }
            retired = true;
            last = users == 0;
        }
        if (last) {
            dispose();
        }
    }

    private void dispose() {
        boolean deletes;
        synchronized (this) {
            deletes = deleted;
        }
        try {
            if (opened != null && deletes) {
                opened.store().closeImmediately();
            } else if (opened != null) {
                opened.store().close();
                noteShorter();
            }
            if (deletes) {
                Files.deleteIfExists(path);
                Files.deleteIfExists(doubtFile());
                Files.deleteIfExists(SyncMark.beside(path));
            }
        } catch (IOException | RuntimeException failure) {
            LOG.warn("The store file {} was not closed in order: {}", path, failure.toString());
        } finally {
            gone.countDown();
        }
    }

    /** The close may have shortened the file. */
    private void noteShorter() throws IOException {
        long length = Files.size(path);
        if (length < synced.length()) {
            synced = new SyncMark(length, synced.chunk());
            noteSynced();
        }
    }

    /** Waits until a file that was retired is closed; false if somebody still uses it after that time. */
    boolean awaitGone(long nanos) {
        try {
            return gone.await(nanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    boolean isGone() {
        return gone.getCount() == 0;
    }

    /** Gives the file its name, after it was made and committed under another. */
    void rename(Path to) throws IOException {
        shared.rename(path, to);
        Files.deleteIfExists(SyncMark.beside(path));
        path = to;
        noteSynced();
    }

    // ---- the shard's thread

    void putHead(String key, String value) throws IOException {
        change(now -> now.head().put(key, value));
    }

    void putLog(int number, LogEntry entry) throws IOException {
        change(now -> now.logs().put((long) number, entry.encode()));
    }

    void removeLog(int number) throws IOException {
        change(now -> now.logs().remove((long) number));
    }

    void putSegment(int number, SegmentEntry entry) throws IOException {
        change(now -> now.segments().put((long) number, entry.encode()));
    }

    void removeSegment(int number) throws IOException {
        change(now -> now.segments().remove((long) number));
    }

    /**
     * Puts a batch behind those that its segment has. The empty value behind a large batch is the place of the next one:
     * without it, that would share a page with this one, and the next commit would write this one again.
     */
    void putBatch(long key, ByteBuffer batch) throws IOException {
        change(now -> {
            now.batches().put(key, batch);
            if (batch.remaining() > OpenStore.PAGE_BYTES / 2) {
                now.batches().put(key + 1, NOTHING);
            }
        });
    }

    private void change(Consumer<OpenStore> puts) throws IOException {
        OpenStore now = awake();
        try {
            puts.accept(now);
        } catch (RuntimeException failure) {
            throw failureOf("written", failure);
        }
    }

    /**
     * On return everything that was put is in the file, and survives a kill.
     *
     * @throws IOException nothing was committed; the file is as it was committed last, and can be used on if the failure
     *     was a passing one
     */
    void commit() throws IOException {
        synchronized (reopening) {
            try {
                opened.store().commit();
                committed = new SyncMark(lengthOfCommits(), opened.lastChunk(committed.chunk()));
            } catch (RuntimeException failure) {
                IOException reason = failureOf("written", failure);
                forget(reason);
                throw reason;
            }
        }
    }

    /** Forgets what was put and not committed: opens the file again. What goes wrong is added to the reason. */
    void forget(IOException reason) {
        synchronized (reopening) {
            try {
                opened.store().closeImmediately();
                opened = openStore();
            } catch (IOException unreadable) {
                reason.addSuppressed(unreadable);
            }
        }
    }

    /** Tries again to open a file that could not be opened after a failure. */
    void openIfClosed() throws IOException {
        synchronized (reopening) {
            if (opened == null || opened.store().isClosed()) {
                opened = openStore();
            }
        }
    }

    // ---- any thread

    /** On return everything that was committed before the call survives a power cut. */
    void sync() throws IOException {
        if (isDoubtful()) {
            throw new IOException(
                    "The store file " + path + " is written anew, because it could not be flushed before");
        }
        if (!enter()) {
            throw new IOException("The store file " + path + " is closed");
        }
        try {
            SyncMark reached = committed;
            force();
            synced = reached;
            noteSynced();
        } finally {
            leave();
        }
    }

    private void force() throws IOException {
        while (true) {
            OpenStore now = awake();
            try {
                now.store().sync();
                return;
            } catch (RuntimeException failure) {
                synchronized (reopening) {
                    if (opened == now) {
                        IOException reason = failureOf("flushed", failure);
                        doubt(reason);
                        throw reason;
                    }
                }
            }
        }
    }

    private void noteSynced() {
        try {
            synced.write(path);
        } catch (IOException failure) {
            LOG.debug("That {} is flushed up to {} was not noted: {}", path, synced.length(), failure.toString());
        }
    }

    /**
     * After an fsync that failed nobody knows what is on the disk, and the next fsync does not tell. The batches have to be
     * written into another file before they count as flushed; a restart has to know.
     */
    private void doubt(IOException reason) {
        doubtful = true;
        try {
            Files.write(doubtFile(), new byte[0]);
        } catch (IOException alsoFailed) {
            reason.addSuppressed(alsoFailed);
        }
    }

    private Path doubtFile() {
        return path.resolveSibling(path.getFileName() + DOUBT);
    }

    boolean isDoubtful() {
        return doubtful;
    }

    String head(String key) throws IOException {
        return read(now -> now.head().get(key));
    }

    /** The largest number of a segment that the file has a batch of; -1 if it has no batches. */
    int largestSegment() throws IOException {
        Long last = read(now -> now.batches().lastKey());
        return last == null ? -1 : (int) (last >>> 32);
    }

    /** The key of the last batch at or below {@code key}; -1 if there is none. */
    long floorKey(long key) throws IOException {
        return read(now -> {
            Long floor = now.batches().floorKey(key);
            while (floor != null && !now.batches().get(floor).hasRemaining()) {
                floor = now.batches().lowerKey(floor);
            }
            return floor == null ? -1 : floor;
        });
    }

    /** What the file says of a log; null if it says nothing. */
    LogEntry log(int number) throws IOException {
        ByteBuffer entry = read(now -> now.logs().get((long) number));
        return entry == null ? null : LogEntry.decode(entry);
    }

    void forEachLog(Visitor visitor) throws IOException {
        forEach(OpenStore::logs, 0, Long.MAX_VALUE, visitor);
    }

    void forEachSegment(Visitor visitor) throws IOException {
        forEach(OpenStore::segments, 0, Long.MAX_VALUE, visitor);
    }

    /** Shows the batches with keys from {@code from} on and below {@code to}, in order, until the visitor has enough. */
    void forEachBatch(long from, long to, Visitor visitor) throws IOException {
        forEach(OpenStore::batches, from, to, (key, value) -> !value.hasRemaining() || visitor.visit(key, value));
    }

    private void forEach(Function<OpenStore, MVMap<Long, ByteBuffer>> map, long from, long to, Visitor visitor)
            throws IOException {
        read(now -> {
            Cursor<Long, ByteBuffer> cursor = map.apply(now).cursor(from);
            while (cursor.hasNext()) {
                long key = cursor.next();
                if (key >= to || !visitor.visit(key, cursor.getValue())) {
                    break;
                }
            }
            return null;
        });
    }

    private interface Reading<T> {
        T from(OpenStore opened) throws IOException;
    }

    private <T> T read(Reading<T> reading) throws IOException {
        if (!enter()) {
            throw new ReopenedException(path);
        }
        try {
            return readEntered(reading);
        } finally {
            leave();
        }
    }

    private <T> T readEntered(Reading<T> reading) throws IOException {
        lastUse = System.nanoTime();
        OpenStore now = awake();
        try {
            return reading.from(now);
        } catch (FeliceException said) {
            throw said;
        } catch (RuntimeException failure) {
            synchronized (reopening) {
                throw opened == now ? failureOf("read", failure) : new ReopenedException(path);
            }
        }
    }

    /** A write failed while the file was read, so it was opened again: the reader begins again. */
    static final class ReopenedException extends IOException {
        private static final long serialVersionUID = 1L;

        ReopenedException(Path path) {
            super("the store file " + path + " was opened again");
        }
    }

    /** Bytes of the file. */
    long sizeInBytes() {
        return committed.length();
    }

    /** Commits in the file, and perhaps some more. */
    int commits() {
        return committed.chunk();
    }

    /** Memory that MVStore uses for pages of the file. */
    long cachedBytes() {
        OpenStore now = opened;
        try {
            return now == null ? 0 : now.cachedBytes();
        } catch (RuntimeException closed) {
            return 0;
        }
    }

    static long keyOf(int segment, long relativeOffset) {
        return ((long) segment << 32) | relativeOffset;
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
