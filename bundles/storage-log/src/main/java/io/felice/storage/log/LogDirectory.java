package io.felice.storage.log;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.FeliceException;
import io.felice.api.TopicNames;
import io.felice.api.storage.LogId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine's directory: knows which logs are in it, and creates, renames and deletes their directories. The layout is
 * Kafka's.
 *
 * <pre>
 *  .lock                               locked while an engine uses the directory
 *  felice-log.properties               see {@link OwnerFile}
 *  .kafka_cleanshutdown                exists only after a clean shutdown
 *  recovery-point-offset-checkpoint    for each log: batches below this offset survive a power cut
 *  log-start-offset-checkpoint         log start offsets that are inside a segment
 *  orders-3/                           topic-partition
 *    partition.metadata                the topic's id
 *    fsync-failed                      exists from a failed fsync until the batches are written again and flushed
 *    00000000000000000000.log          batches; beside it .index and .timeindex
 *  orders-3.&lt;topic id&gt;-stray/         a log that was set aside, or whose name a newer topic has taken
 *  orders-3.&lt;topic id&gt;-delete/        a log that is being deleted
 * </pre>
 */
final class LogDirectory implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LogDirectory.class);

    /**
     * Directories that engines of this process have locked. The lock file alone is not enough: a second engine of this
     * process would open a second channel, be refused the lock, and close the channel, which releases the first
     * engine's lock.
     */
    private static final Set<Path> TAKEN_BY_THIS_PROCESS = ConcurrentHashMap.newKeySet();

    private static final int MOST_NAME_BYTES = 255;
    private static final String METADATA = "partition.metadata";
    private static final String FSYNC_FAILED = "fsync-failed";
    private static final String CLEAN_MARKER = ".kafka_cleanshutdown";
    private static final String DELETE = "-delete";
    private static final String STRAY = "-stray";
    private static final Pattern PARTITION_DIRECTORY = Pattern.compile("(.+)-(\\d{1,9})(\\.[0-9a-f]{32}-stray)?");

    private final DiskFiles files;
    private final Path path;
    private final FileChannel lockFile;
    private final OwnerFile owner;
    private final OffsetCheckpoint recoveryPoints;
    private final OffsetCheckpoint logStarts;
    /** The directories of all logs that have files. */
    private final Map<LogId, Path> places = new ConcurrentHashMap<>();
    /** Which log has a directory name of the form {@code topic-partition}. */
    private final Map<String, LogId> names = new ConcurrentHashMap<>();

    /** Logs with a failed fsync, including those whose file {@code fsync-failed} could not be written. */
    private final Set<LogId> failedFsyncs = ConcurrentHashMap.newKeySet();

    /** Names of directories whose topic is unknown, because reading their {@code partition.metadata} failed. */
    private final Set<String> unreadable = ConcurrentHashMap.newKeySet();

    private final List<Path> leftovers = new ArrayList<>();
    private MoveAside moveAside = this::makeStray;

    private LogDirectory(DiskFiles files, Path path, FileChannel lockFile, OwnerFile owner) {
        this.files = files;
        this.path = path;
        this.lockFile = lockFile;
        this.owner = owner;
        this.recoveryPoints = new OffsetCheckpoint(files, path.resolve("recovery-point-offset-checkpoint"));
        this.logStarts = new OffsetCheckpoint(files, path.resolve("log-start-offset-checkpoint"));
    }

    /**
     * Locks the directory for this process and lists its logs. A directory of another cluster is refused before
     * anything in it changes.
     *
     * @param clusterId null if the cluster is not known
     */
    static LogDirectory open(DiskFiles files, Path path, String clusterId) {
        FileChannel lockFile = null;
        try {
            Files.createDirectories(path);
            lockFile = lock(path);
            LogDirectory directory = new LogDirectory(files, path, lockFile, OwnerFile.of(files, path));
            if (clusterId != null) {
                directory.belongTo(clusterId);
            }
            directory.load();
            return directory;
        } catch (IOException | UncheckedIOException failure) {
            unlock(path, lockFile);
            throw KAFKA_STORAGE_ERROR.because("the directory " + path + " cannot be used: " + failure, failure);
        } catch (RuntimeException refused) {
            unlock(path, lockFile);
            throw refused;
        }
    }

    private static FileChannel lock(Path path) throws IOException {
        if (!TAKEN_BY_THIS_PROCESS.add(path)) {
            throw inUse(path);
        }
        try {
            return lockAgainstOthers(path);
        } catch (IOException | RuntimeException failure) {
            TAKEN_BY_THIS_PROCESS.remove(path);
            throw failure;
        }
    }

    private static FeliceException inUse(Path path) {
        return KAFKA_STORAGE_ERROR.because(
                "the directory " + path + " is in use by another process; stop it, or give each its own directory");
    }

    private static FileChannel lockAgainstOthers(Path path) throws IOException {
        FileChannel channel = new DiskFiles().open(path.resolve(".lock"), true);
        FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException inThisProcess) {
            LOG.debug("{} is locked by this process", path);
        }
        if (lock == null) {
            channel.close();
            throw inUse(path);
        }
        return channel;
    }

    private static void unlock(Path path, FileChannel lockFile) {
        if (lockFile == null) {
            return;
        }
        try {
            lockFile.close();
        } catch (IOException failure) {
            LOG.warn("The lock file of {} could not be closed; it may stay locked: {}", path, failure.toString());
        }
        TAKEN_BY_THIS_PROCESS.remove(path);
    }

    void belongTo(String clusterId) throws IOException {
        owner.belongTo(clusterId);
    }

    private void load() throws IOException {
        files.delete(path.resolve(CLEAN_MARKER));
        recoveryPoints.load();
        logStarts.load();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path, Files::isDirectory)) {
            entries.forEach(this::noteDirectory);
        }
    }

    private void noteDirectory(Path directory) {
        String name = directory.getFileName().toString();
        if (name.endsWith(DELETE)) {
            leftovers.add(directory);
            return;
        }
        Matcher parts = PARTITION_DIRECTORY.matcher(name);
        if (!parts.matches()) {
            return;
        }
        try {
            UUID topicId = topicIdIn(directory);
            if (topicId == null) {
                LOG.warn("{} has no readable {} and is not used", directory, METADATA);
            } else {
                LogId id = new LogId(topicId, Integer.parseInt(parts.group(2)), parts.group(1));
                places.put(id, directory);
                if (parts.group(3) == null) {
                    names.put(name, id);
                }
            }
            unreadable.remove(name);
        } catch (IOException failure) {
            LOG.error("{} cannot be used until its {} can be read: {}", directory, METADATA, failure.toString());
            unreadable.add(name);
        }
    }

    /** Null if {@code partition.metadata} is missing or malformed; fails if it cannot be read. */
    private static UUID topicIdIn(Path directory) throws IOException {
        try {
            Properties properties = new Properties();
            try (var reader = Files.newBufferedReader(directory.resolve(METADATA), UTF_8)) {
                properties.load(reader);
            }
            ByteBuffer id = ByteBuffer.wrap(Base64.getUrlDecoder()
                    .decode(properties.getProperty("topic_id", "").trim()));
            return id.remaining() == 16 ? new UUID(id.getLong(), id.getLong()) : null;
        } catch (NoSuchFileException | CharacterCodingException | IllegalArgumentException saysNothing) {
            return null;
        }
    }

    Path path() {
        return path;
    }

    OffsetCheckpoint recoveryPoints() {
        return recoveryPoints;
    }

    OffsetCheckpoint logStarts() {
        return logStarts;
    }

    Map<LogId, Path> places() {
        return places;
    }

    /**
     * The log's directory; null if the log has no files. Fails while the metadata of the directory with the log's name
     * cannot be read: that directory may be the log's, so the log must not be taken for empty.
     */
    Path placeOf(LogId id) {
        String name = nameOf(id);
        if (unreadable.contains(name)) {
            noteDirectory(path.resolve(name));
        }
        Path place = places.get(id);
        if (place == null && unreadable.contains(name)) {
            throw KAFKA_STORAGE_ERROR.because(
                    path.resolve(name) + " may belong to " + id + ": its " + METADATA + " cannot be read");
        }
        return place;
    }

    /** The name of the log's directory, unless the log is stray. */
    static String nameOf(LogId id) {
        return id.topic() + "-" + id.partition();
    }

    /** Fails unless Kafka allows the topic's name: the name becomes part of a path. */
    static void mustBeLegal(LogId id) {
        String topic = id.topic();
        if (!TopicNames.isValid(topic)) {
            throw KAFKA_STORAGE_ERROR.because("the topic name \"" + topic + "\" is not allowed");
        }
    }

    /** The key that the checkpoints use for the log in this directory: topic and partition, with a space between. */
    static String keyOf(Path place) {
        String name = place.getFileName().toString();
        int dash = name.lastIndexOf('-');
        return name.endsWith(STRAY) ? name + " 0" : name.substring(0, dash) + " " + name.substring(dash + 1);
    }

    /** Frees the directory name of a log, open or not, by calling {@link #makeStray}. */
    interface MoveAside {
        void accept(LogId owner) throws IOException;
    }

    void moveAsideBy(MoveAside how) {
        moveAside = how;
    }

    /**
     * Makes the directory of a new log. Checkpoints and segments of an older log of that name do not become part of it.
     */
    Path create(LogId id) throws IOException {
        String name = nameOf(id);
        LogId owner = names.putIfAbsent(name, id);
        while (owner != null && !owner.equals(id)) {
            moveAside.accept(owner);
            owner = names.putIfAbsent(name, id);
        }
        try {
            return makeDirectory(id);
        } catch (IOException failure) {
            names.remove(name, id);
            throw failure;
        }
    }

    private Path makeDirectory(LogId id) throws IOException {
        Path place = path.resolve(nameOf(id));
        forgetOffsets(keyOf(place));
        moveUnknownSegmentsAside(id, place);
        files.createDirectory(place);
        Path draft = place.resolve(METADATA + ".tmp");
        try (FileChannel metadata = files.open(draft, true)) {
            files.truncate(metadata, 0);
            files.write(metadata, metadataOf(id), 0);
        }
        files.rename(draft, place.resolve(METADATA));
        places.put(id, place);
        return place;
    }

    private static ByteBuffer metadataOf(LogId id) {
        byte[] topicId = ByteBuffer.allocate(16)
                .putLong(id.topicId().getMostSignificantBits())
                .putLong(id.topicId().getLeastSignificantBits())
                .array();
        String text = "version: 0\ntopic_id: "
                + Base64.getUrlEncoder().withoutPadding().encodeToString(topicId) + "\n";
        return ByteBuffer.wrap(text.getBytes(UTF_8));
    }

    /** Renames a directory with segments of an unknown topic: the new log must neither contain nor delete them. */
    private void moveUnknownSegmentsAside(LogId id, Path place) throws IOException {
        if (!hasSegments(place)) {
            return;
        }
        Path aside = path.resolve(asideName(new LogId(UUID.randomUUID(), id.partition(), id.topic()), STRAY));
        files.rename(place, aside);
        LOG.warn("{} has no readable {}; it was renamed to {} and is not used", place, METADATA, aside);
    }

    private static boolean hasSegments(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return false;
        }
        try (DirectoryStream<Path> segments = Files.newDirectoryStream(directory, "*.log")) {
            return segments.iterator().hasNext();
        }
    }

    /** On return the directory and its {@code partition.metadata} survive a power cut. */
    void sync(Path place) throws IOException {
        try (FileChannel metadata = files.open(place.resolve(METADATA), false)) {
            files.force(metadata);
        }
        files.syncDirectory(place);
        files.syncDirectory(path);
    }

    /**
     * Notes that an fsync of this log failed. After a failed fsync the operating system still shows readers the pages
     * that it could not write, but the next fsync no longer writes them and succeeds. The note need not survive a power
     * cut: after a power cut readers see what is on the disk.
     */
    void noteFailedFsync(LogId id) {
        failedFsyncs.add(id);
        Path place = places.get(id);
        if (place == null) {
            return;
        }
        try {
            files.open(place.resolve(FSYNC_FAILED), true).close();
        } catch (IOException failure) {
            LOG.warn(
                    "An fsync of {} failed, and {} cannot be written: after a restart its batches are not written again: {}",
                    id,
                    FSYNC_FAILED,
                    failure.toString());
        }
    }

    /** True if batches above the recovery point can be read but may not be on the disk. */
    boolean hasFailedFsync(LogId id) {
        Path place = places.get(id);
        return failedFsyncs.contains(id) || (place != null && Files.exists(place.resolve(FSYNC_FAILED)));
    }

    /** Removes the note of a failed fsync, after everything above the recovery point was written again and flushed. */
    void forgetFailedFsync(LogId id) throws IOException {
        Path place = places.get(id);
        files.writeWhole(place.resolve(METADATA), metadataOf(id));
        files.syncDirectory(path);
        files.delete(place.resolve(FSYNC_FAILED));
        failedFsyncs.remove(id);
    }

    private void forgetOffsets(String key) throws IOException {
        recoveryPoints.remove(key);
        logStarts.remove(key);
        if (recoveryPoints.isOnDisk(key)) {
            recoveryPoints.write();
        }
        if (logStarts.isOnDisk(key)) {
            logStarts.write();
        }
    }

    /** Renames the log's directory to {@code topic-partition.<topic id>-stray}; the log can still be used. */
    Path makeStray(LogId id) throws IOException {
        Path to = move(id, path.resolve(asideName(id, STRAY)));
        names.remove(nameOf(id), id);
        return to;
    }

    /** True if the log's directory has the name of a stray log. */
    boolean isStray(LogId id) {
        Path place = places.get(id);
        return place != null && place.getFileName().toString().endsWith(STRAY);
    }

    /** Renames the directory of a stray log to {@code topic-partition}, unless another log has that name. */
    void restoreName(LogId id) throws IOException {
        Path plain = path.resolve(nameOf(id));
        if (names.putIfAbsent(nameOf(id), id) != null) {
            return;
        }
        boolean moved = false;
        try {
            if (Files.notExists(plain)) {
                forgetOffsets(keyOf(plain));
                move(id, plain);
                moved = true;
            }
        } finally {
            if (!moved) {
                names.remove(nameOf(id), id);
            }
        }
    }

    private Path move(LogId id, Path to) throws IOException {
        Path from = places.get(id);
        copyOffset(recoveryPoints, keyOf(from), keyOf(to));
        copyOffset(logStarts, keyOf(from), keyOf(to));
        files.rename(from, to);
        places.put(id, to);
        return to;
    }

    private static void copyOffset(OffsetCheckpoint checkpoint, String from, String to) throws IOException {
        long offset = checkpoint.get(from, -1);
        if (offset >= 0) {
            checkpoint.put(to, offset);
            checkpoint.write();
        }
    }

    /** Renames the log's directory, to be deleted later, and forgets the log; null if the log has no directory. */
    Path renameForDeletion(LogId id) throws IOException {
        failedFsyncs.remove(id);
        Path place = places.get(id);
        if (place == null) {
            names.remove(nameOf(id), id);
            return null;
        }
        Path aside = path.resolve(asideName(id, DELETE));
        recoveryPoints.remove(keyOf(place));
        logStarts.remove(keyOf(place));
        files.rename(place, aside);
        places.remove(id);
        names.remove(nameOf(id), id);
        return aside;
    }

    private static String asideName(LogId id, String suffix) {
        String unique = unique(id, suffix);
        String name = nameOf(id);
        int most = MOST_NAME_BYTES - unique.length();
        if (name.length() > most) {
            String partition = "-" + id.partition();
            name = id.topic().substring(0, most - partition.length()) + partition;
        }
        return name + unique;
    }

    private static String unique(LogId id, String suffix) {
        return "." + id.topicId().toString().replace("-", "") + suffix;
    }

    /** True if the directory name of a stray log has space for the topic's whole name. */
    static boolean canBeNamedStray(LogId id) {
        return nameOf(id).length() + unique(id, STRAY).length() <= MOST_NAME_BYTES;
    }

    /** Directories of deleted logs that the last engine had not removed when it stopped. */
    List<Path> leftovers() {
        return leftovers;
    }

    void deleteFiles(Path directory) {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                files.delete(entry);
            }
            files.delete(directory);
        } catch (IOException failure) {
            LOG.warn("{} is deleted only in part; the next start deletes the rest: {}", directory, failure.toString());
        }
    }

    /** Writes both checkpoints and Kafka's marker of a clean shutdown. */
    void markClean() throws IOException {
        recoveryPoints.write();
        logStarts.write();
        files.writeWhole(
                path.resolve(CLEAN_MARKER), ByteBuffer.wrap("{\"version\":0,\"brokerEpoch\":-1}".getBytes(UTF_8)));
    }

    /** Unlocks the directory. */
    @Override
    public void close() {
        unlock(path, lockFile);
    }
}
