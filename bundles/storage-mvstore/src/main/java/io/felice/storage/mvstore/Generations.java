package io.felice.storage.mvstore;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The store files of a shard, the newest last. The shard's thread begins and deletes files; any thread may ask which there
 * are.
 */
final class Generations {
    private static final Logger LOG = LoggerFactory.getLogger(Generations.class);

    private static final int FORMAT = 1;
    private static final String UNFINISHED = ".new";
    private static final Pattern FILE_NAME = Pattern.compile("(\\d{2,4})-(\\d{6,9})\\.mv(\\.new)?");
    private static final String FORMAT_KEY = "format";
    /** About so many bytes are copied in one commit. */
    private static final long COPY_BYTES = 4 << 20;

    private final int shard;
    private final Path directory;
    private final StoreResources shared;
    private final boolean afterPowerCut;
    private final NavigableMap<Integer, StoreFile> files = new ConcurrentSkipListMap<>();
    /** The files that are on their way out. */
    private final Set<StoreFile> leaving = ConcurrentHashMap.newKeySet();

    /** Why files that are there cannot be opened. */
    private final Map<Integer, IOException> damaged = new ConcurrentHashMap<>();

    /** @param afterPowerCut true if what was not flushed may be missing */
    Generations(int shard, Path directory, StoreResources shared, boolean afterPowerCut) {
        this.afterPowerCut = afterPowerCut;
        this.shard = shard;
        this.directory = directory;
        this.shared = shared;
    }

    /**
     * Opens the newest of the files that are there; after a power cut all of them. The others rest until they are read.
     *
     * @throws IOException if the newest cannot be opened: nobody knows the shard's logs then; or if a file is still in use
     *     by an engine that was stopped. The other files that cannot be opened have a {@link #damageOf}
     */
    void open() throws IOException {
        NavigableMap<Integer, Path> found = onDisk();
        for (Map.Entry<Integer, Path> file : found.entrySet()) {
            boolean isNewest = file.getKey().equals(found.lastKey());
            try {
                files.put(file.getKey(), openFile(file.getValue(), file.getKey(), isNewest));
            } catch (IOException failure) {
                if (StoreFile.isInUse(failure)) {
                    close();
                    throw new IOException(
                            file.getValue() + " is still in use by an engine that was stopped. The logs of shard "
                                    + shard + " are offline until that engine lets go of it",
                            failure);
                }
                if (isNewest) {
                    close();
                    throw new IOException(
                            failure.getMessage() + ". The logs of shard " + shard + " are offline, the others are not."
                                    + " Restore the files " + name(shard) + "-* from one backup, or move "
                                    + file.getValue() + " away: the logs then go on with what older files have",
                            failure);
                }
                LOG.error("{}", failure.getMessage());
                damaged.put(file.getKey(), failure);
            }
        }
    }

    private NavigableMap<Integer, Path> onDisk() throws IOException {
        NavigableMap<Integer, Path> found = new TreeMap<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                Matcher name = FILE_NAME.matcher(entry.getFileName().toString());
                if (!name.matches() || Integer.parseInt(name.group(1)) != shard) {
                    continue;
                }
                if (name.group(3) != null) {
                    Files.delete(entry);
                } else {
                    found.put(Integer.parseInt(name.group(2)), entry);
                }
            }
        }
        return found;
    }

    private StoreFile openFile(Path path, int generation, boolean isNewest) throws IOException {
        int cacheMb = isNewest ? shared.cacheMb() : 1;
        if (!afterPowerCut) {
            return isNewest || !StoreFile.mayRest(path)
                    ? openFile(path, generation, cacheMb)
                    : StoreFile.resting(shared, path, generation, cacheMb);
        }
        return TornFile.open(path, synced -> {
            StoreFile file = openFile(path, generation, cacheMb);
            try {
                file.mustBeSoundBehind(synced);
                return file;
            } catch (IOException failure) {
                file.abandon();
                throw failure;
            }
        });
    }

    private StoreFile openFile(Path path, int generation, int cacheMb) throws IOException {
        StoreFile file = StoreFile.open(shared, path, generation, cacheMb);
        try {
            String format = file.head(FORMAT_KEY);
            if (String.valueOf(FORMAT).equals(format)) {
                return file;
            }
            throw new IOException("The store file " + path + " has format " + format + ", this version reads format "
                    + FORMAT + " only");
        } catch (IOException failure) {
            file.abandon();
            throw failure;
        }
    }

    static String name(int shard) {
        return String.format("%02d", shard);
    }

    private Path path(int generation) {
        return directory.resolve(String.format("%s-%06d.mv", name(shard), generation));
    }

    /** The file of a generation; null if there is none, or it cannot be opened. */
    StoreFile get(int generation) {
        return files.get(generation);
    }

    /** Why the file of a generation cannot be opened; null if it can, or if there is none. */
    IOException damageOf(int generation) {
        return damaged.get(generation);
    }

    /** Tries again to open a file that could not be opened: an operator may have restored it. */
    void repair(int generation) {
        Path path = path(generation);
        if (!damaged.containsKey(generation) || !Files.exists(path)) {
            return;
        }
        try {
            files.put(generation, openFile(path, generation, false));
            damaged.remove(generation);
        } catch (IOException failure) {
            damaged.put(generation, failure);
        }
    }

    /** The file that is written to; null if there is none yet. */
    StoreFile newest() {
        Map.Entry<Integer, StoreFile> last = files.lastEntry();
        return last == null ? null : last.getValue();
    }

    Collection<StoreFile> all() {
        return files.values();
    }

    /**
     * Makes a file that becomes the newest; on return it survives a power cut, and says what the one before says. If that
     * one could not be flushed, the new file has its batches as well.
     */
    StoreFile begin() throws IOException {
        int generation = 1
                + Math.max(
                        files.isEmpty() ? 0 : files.lastKey(),
                        damaged.keySet().stream()
                                .mapToInt(Integer::intValue)
                                .max()
                                .orElse(0));
        Path path = path(generation);
        Path unfinished = path.resolveSibling(path.getFileName() + UNFINISHED);
        Files.deleteIfExists(unfinished);
        StoreFile file = StoreFile.open(shared, unfinished, generation, shared.cacheMb());
        boolean begun = false;
        try {
            file.putHead(FORMAT_KEY, String.valueOf(FORMAT));
            if (!files.isEmpty()) {
                copy(newest(), file);
            }
            file.commit();
            file.sync();
            file.rename(path);
            begun = true;
        } finally {
            if (!begun) {
                file.delete();
            }
        }
        files.put(generation, file);
        return file;
    }

    /** What the new file refers to must not be lost by a power cut that the new file survives. */
    private static void copy(StoreFile from, StoreFile to) throws IOException {
        boolean batchesToo = from.isDoubtful();
        if (!batchesToo) {
            from.sync();
        }
        from.forEachLog((number, value) -> {
            to.putLog((int) number, LogEntry.decode(value));
            return true;
        });
        from.forEachSegment((number, value) -> {
            SegmentEntry entry = SegmentEntry.decode(value);
            boolean isHere = batchesToo && entry.generation() == from.generation();
            if (isHere) {
                copyBatches((int) number, entry, from, to);
            }
            to.putSegment((int) number, isHere ? entry.movedTo(to.generation()) : entry);
            return true;
        });
    }

    private static void copyBatches(int number, SegmentEntry entry, StoreFile from, StoreFile to) throws IOException {
        long[] waiting = {0};
        from.forEachBatch(
                StoreFile.keyOf(number, 0), StoreFile.keyOf(number, entry.next() - entry.base()), (key, batch) -> {
                    Checked.mustBeSound(batch);
                    to.putBatch(key, batch);
                    waiting[0] += batch.remaining();
                    if (waiting[0] > COPY_BYTES) {
                        to.commit();
                        waiting[0] = 0;
                    }
                    return true;
                });
    }

    /** Deletes the older files that nobody uses, once a power cut cannot bring back what says that they are used. */
    void deleteUnused(Set<StoreFile> used) {
        StoreFile newest = newest();
        List<StoreFile> unused = files.values().stream()
                .filter(file -> file != newest && !used.contains(file))
                .toList();
        if (unused.isEmpty()) {
            return;
        }
        leaving.removeIf(StoreFile::isGone);
        leaving.addAll(unused);
        unused.forEach(file -> files.remove(file.generation(), file));
        shared.flusher().execute(() -> {
            try {
                newest.sync();
                unused.forEach(StoreFile::delete);
                shared.counters().deletedFiles.add(unused.size());
            } catch (IOException failure) {
                unused.forEach(StoreFile::retire);
                LOG.warn("Store files that are not used any more stay until the next start: {}", failure.getMessage());
            }
        });
    }

    long sizeInBytes() {
        return files.values().stream().mapToLong(StoreFile::sizeInBytes).sum();
    }

    void close() {
        leaving.addAll(files.values());
        files.values().forEach(StoreFile::retire);
    }

    /** Waits until all files are closed, so that the next engine can open them; false if some are still used then. */
    boolean awaitGone(long nanos) {
        long deadline = System.nanoTime() + nanos;
        return leaving.stream().allMatch(file -> file.awaitGone(deadline - System.nanoTime()));
    }
}
