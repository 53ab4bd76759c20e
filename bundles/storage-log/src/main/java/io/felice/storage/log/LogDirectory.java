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
 * The engine's directory, laid out as Kafka's.
 *
 * <pre>
 *  .lock                               locked while an engine uses the directory
 *  felice-log.properties               see {@link OwnerFile}
 *  .kafka_cleanshutdown                only there after a clean stop
 *  recovery-point-offset-checkpoint    below it, batches survive a power cut
 *  log-start-offset-checkpoint         of logs whose start is inside a segment
 *  orders-3/                           topic-partition
 *    partition.metadata                the topic's id
 *    fsync-failed                      only there while a failed fsync is not made up for
 *    00000000000000000000.log          batches; beside it .index and .timeindex
 *  orders-3.&lt;topic id&gt;-stray/         a log that was set aside, or whose name a newer topic has taken
 *  orders-3.&lt;topic id&gt;-delete/        a log that is being deleted
 * </pre>
 */
final class LogDirectory implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LogDirectory.class);

    /**
     * Directories that engines of this process have taken. The lock file alone would not do: closing a second channel on
     * it, after the lock was refused, gives up the lock of the first.
     */
    private static final Set<Path> TAKEN_HERE = ConcurrentHashMap.newKeySet();

    private static final int MOST_NAME_BYTES = 255;
    private static final String METADATA = "partition.metadata";
    private static final String DOUBT = "fsync-failed";
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
    /** Where the logs are that have files. */
    private final Map<LogId, Path> places = new ConcurrentHashMap<>();
    /** Who has the plain name of a directory. */
    private final Map<String, LogId> names = new ConcurrentHashMap<>();

    /** Logs of which an fsync failed, also if the disk did not take the file that says so. */
    private final Set<LogId> doubtful = ConcurrentHashMap.newKeySet();

    /** Directories of which it is not known whose they are: their metadata is there, but the disk does not give it. */
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
     * Takes the directory for this process and sees which logs are there. A directory of another cluster is refused before
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
        if (!TAKEN_HERE.add(path)) {
            throw taken(path);
        }
        try {
            return lockAgainstOthers(path);
        } catch (IOException | RuntimeException failure) {
            TAKEN_HERE.remove(path);
            throw failure;
        }
    }

    private static FeliceException taken(Path path) {
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
            throw KAFKA_STORAGE_ERROR.because(
                    "the directory " + path + " is used by another process; stop it, or give each its own directory");
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
            LOG.warn("The lock file of {} did not close: {}", path, failure.toString());
        }
        TAKEN_HERE.remove(path);
    }

    void belongTo(String clusterId) throws IOException {
        owner.belongTo(clusterId);
    }

    private void load() throws IOException {
        files.delete(path.resolve(CLEAN_MARKER));
        recoveryPoints.load();
        logStarts.load();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path, Files::isDirectory)) {
            entries.forEach(this::note);
        }
    }

    private void note(Path directory) {
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
                LOG.warn("{} has no readable {} and is left alone", directory, METADATA);
            } else {
                LogId id = new LogId(topicId, Integer.parseInt(parts.group(2)), parts.group(1));
                places.put(id, directory);
                if (parts.group(3) == null) {
                    names.put(name, id);
                }
            }
            unreadable.remove(name);
        } catch (IOException failure) {
            LOG.error("{} cannot be used: {}", directory, failure.toString());
            unreadable.add(name);
        }
    }

    /** Null if the directory does not say whose it is; a disk that does not answer is another matter. */
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

    /** Where the log is; null if it has no files. Fails while that cannot be known: no log is empty because a read failed. */
    Path placeOf(LogId id) {
        String name = nameOf(id);
        if (unreadable.contains(name)) {
            note(path.resolve(name));
        }
        Path place = places.get(id);
        if (place == null && unreadable.contains(name)) {
            throw KAFKA_STORAGE_ERROR.because("it is not known which topic " + path.resolve(name) + " is of");
        }
        return place;
    }

    /** The name of a log's directory unless a newer topic has taken it. */
    static String nameOf(LogId id) {
        return id.topic() + "-" + id.partition();
    }

    /** Names become paths, so only what Kafka allows is let through. */
    static void mustBeLegal(LogId id) {
        String topic = id.topic();
        if (!TopicNames.isValid(topic)) {
            throw KAFKA_STORAGE_ERROR.because("a topic named \"" + topic + "\" cannot have a directory");
        }
    }

    /** What the checkpoints call a log that is in this directory. */
    static String keyOf(Path place) {
        String name = place.getFileName().toString();
        int dash = name.lastIndexOf('-');
        return name.endsWith(STRAY) ? name + " 0" : name.substring(0, dash) + " " + name.substring(dash + 1);
    }

    /** Moves the log that has a name aside, open or not; it calls {@link #makeStray}. */
    interface MoveAside {
        void accept(LogId owner) throws IOException;
    }

    void moveAsideBy(MoveAside how) {
        moveAside = how;
    }

    /** Makes the directory of a new log; nothing that an older log of that name left behind counts. */
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
        forget(keyOf(place));
        moveUnknownAside(id, place);
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

    /** Segments of nobody knows whom must not become part of the new log, and are not ours to destroy. */
    private void moveUnknownAside(LogId id, Path place) throws IOException {
        if (!hasSegments(place)) {
            return;
        }
        Path aside = path.resolve(aside(new LogId(UUID.randomUUID(), id.partition(), id.topic()), STRAY));
        files.rename(place, aside);
        LOG.warn("{} has no readable {}; it is in {} now and left alone there", place, METADATA, aside);
    }

    private static boolean hasSegments(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return false;
        }
        try (DirectoryStream<Path> segments = Files.newDirectoryStream(directory, "*.log")) {
            return segments.iterator().hasNext();
        }
    }

    /** On return the directory is there, and known as this log's, after a power cut. */
    void sync(Path place) throws IOException {
        try (FileChannel metadata = files.open(place.resolve(METADATA), false)) {
            files.force(metadata);
        }
        files.syncDirectory(place);
        files.syncDirectory(path);
    }

    /**
     * Notes that an fsync of this log failed. The system forgets then what it could not write, yet still shows it to
     * readers, and the next fsync has nothing to complain about. The note need not survive a power cut: after one, a
     * reader sees what the disk has.
     */
    void doubt(LogId id) {
        doubtful.add(id);
        Path place = places.get(id);
        if (place == null) {
            return;
        }
        try {
            files.open(place.resolve(DOUBT), true).close();
        } catch (IOException failure) {
            LOG.warn("That an fsync of {} failed is not noted on disk: {}", id, failure.toString());
        }
    }

    /** True if what a reader of this log's files sees above the recovery point may not be on the disk. */
    boolean isDoubtful(LogId id) {
        Path place = places.get(id);
        return doubtful.contains(id) || (place != null && Files.exists(place.resolve(DOUBT)));
    }

    /** All that was doubtful has been written again and forced. */
    void trustAgain(LogId id) throws IOException {
        Path place = places.get(id);
        files.writeWhole(place.resolve(METADATA), metadataOf(id));
        files.syncDirectory(path);
        files.delete(place.resolve(DOUBT));
        doubtful.remove(id);
    }

    private void forget(String key) throws IOException {
        recoveryPoints.remove(key);
        logStarts.remove(key);
        if (recoveryPoints.isOnDisk(key)) {
            recoveryPoints.write();
        }
        if (logStarts.isOnDisk(key)) {
            logStarts.write();
        }
    }

    /** Gives the plain name of a log's directory away; the log goes on under another name. */
    Path makeStray(LogId id) throws IOException {
        Path to = move(id, path.resolve(aside(id, STRAY)));
        names.remove(nameOf(id), id);
        return to;
    }

    /** True if the log's directory has the name of one that was set aside. */
    boolean isStray(LogId id) {
        Path place = places.get(id);
        return place != null && place.getFileName().toString().endsWith(STRAY);
    }

    /** Gives a log that was set aside its plain name back, unless another log has that name. */
    void takeBack(LogId id) throws IOException {
        Path plain = path.resolve(nameOf(id));
        if (names.putIfAbsent(nameOf(id), id) != null) {
            return;
        }
        boolean moved = false;
        try {
            if (Files.notExists(plain)) {
                forget(keyOf(plain));
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

    /** Takes a log's directory out of the way, to be deleted; empty-handed if the log has none. */
    Path removeFromSight(LogId id) throws IOException {
        doubtful.remove(id);
        Path place = places.get(id);
        if (place == null) {
            names.remove(nameOf(id), id);
            return null;
        }
        Path aside = path.resolve(aside(id, DELETE));
        recoveryPoints.remove(keyOf(place));
        logStarts.remove(keyOf(place));
        files.rename(place, aside);
        places.remove(id);
        names.remove(nameOf(id), id);
        return aside;
    }

    private static String aside(LogId id, String suffix) {
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

    /** True if the name of a directory that is set aside has space for the topic's whole name. */
    static boolean canBeNamedStray(LogId id) {
        return nameOf(id).length() + unique(id, STRAY).length() <= MOST_NAME_BYTES;
    }

    /** Directories that a delete before the last stop did not get to. */
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
            LOG.warn("{} was not wholly deleted; the next start does it: {}", directory, failure.toString());
        }
    }

    /** Says that every log was closed in order, in Kafka's words. */
    void markClean() throws IOException {
        recoveryPoints.write();
        logStarts.write();
        files.writeWhole(
                path.resolve(CLEAN_MARKER), ByteBuffer.wrap("{\"version\":0,\"brokerEpoch\":-1}".getBytes(UTF_8)));
    }

    /** Lets another process have the directory. */
    @Override
    public void close() {
        unlock(path, lockFile);
    }
}
