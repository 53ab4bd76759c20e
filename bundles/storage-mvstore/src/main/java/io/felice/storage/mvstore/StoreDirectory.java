package io.felice.storage.mvstore;

import static io.felice.api.ErrorCode.INCONSISTENT_CLUSTER_ID;
import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.FeliceException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine's directory, which one engine at a time may use.
 *
 * <pre>
 *  .lock                       locked while an engine uses the directory
 *  .running                    there after a stop that was not clean: the boot of the system in which it ran
 *  felice-mvstore.properties   the format, the number of shards, and the cluster that the logs belong to
 *  00-000001.mv                shard 0, generation 1: see {@link StoreFile}
 *  00-000002.mv.new            a store file that is being made; deleted by the next start
 * </pre>
 *
 * <p>An operator may delete the line {@code cluster.id}: the next cluster that uses the directory becomes its owner.
 */
final class StoreDirectory implements AutoCloseable {
    static final String PROPERTIES = "felice-mvstore.properties";

    private static final Set<Path> TAKEN_HERE = ConcurrentHashMap.newKeySet();
    private static final Logger LOG = LoggerFactory.getLogger(StoreDirectory.class);
    private static final String RUNNING = ".running";
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final int FORMAT = 1;
    private static final int MOST_SHARDS = 1024;
    private static final String FORMAT_KEY = "format";
    private static final String STORE_ID = "store.id";
    private static final String SHARDS = "shards";
    private static final String CLUSTER_ID = "cluster.id";

    private final Path path;
    private final StoreResources shared;
    private final FileChannel lockFile;
    private String storeId = UUID.randomUUID().toString();
    private String clusterId = "";
    private int shards;
    private boolean afterPowerCut;

    private StoreDirectory(Path path, StoreResources shared, FileChannel lockFile) {
        this.path = path;
        this.shared = shared;
        this.lockFile = lockFile;
        this.shards = shared.settings().shards();
    }

    /**
     * Takes the directory for this process. A directory of another cluster is refused before anything in it changes.
     *
     * @param cluster null if the cluster is not known
     */
    static StoreDirectory open(Path path, StoreResources shared, String cluster) {
        FileChannel lockFile = null;
        try {
            Files.createDirectories(path);
            lockFile = lock(path);
            StoreDirectory directory = new StoreDirectory(path, shared, lockFile);
            directory.readOrMake();
            if (cluster != null) {
                directory.belongTo(cluster);
            }
            directory.noteRunning();
            return directory;
        } catch (IOException failure) {
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
        boolean locked = false;
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = tryLock(channel);
            if (lock == null) {
                throw taken(path);
            }
            locked = true;
            return channel;
        } finally {
            if (!locked) {
                TAKEN_HERE.remove(path);
                if (channel != null) {
                    channel.close();
                }
            }
        }
    }

    private static FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException taken) {
            return null;
        }
    }

    private static FeliceException taken(Path path) {
        return KAFKA_STORAGE_ERROR.because(
                "the directory " + path + " is in use by another process; stop it, or give each its own directory");
    }

    private static void unlock(Path path, FileChannel lockFile) {
        if (lockFile == null) {
            return;
        }
        try {
            lockFile.close();
        } catch (IOException ignored) {
            // The system gives the lock up with the process.
        } finally {
            TAKEN_HERE.remove(path);
        }
    }

    private void readOrMake() throws IOException {
        if (Files.exists(path.resolve(PROPERTIES))) {
            read();
        } else {
            write();
        }
    }

    private void read() throws IOException {
        Properties properties = new Properties();
        try (var reader = Files.newBufferedReader(path.resolve(PROPERTIES), UTF_8)) {
            properties.load(reader);
        }
        String format = properties.getProperty(FORMAT_KEY, "").trim();
        if (!format.equals(Integer.toString(FORMAT))) {
            throw KAFKA_STORAGE_ERROR.because("the directory " + path + " has format " + format
                    + ", this version reads format " + FORMAT + " only; use the newer version that wrote it");
        }
        storeId = properties.getProperty(STORE_ID, storeId).trim();
        clusterId = properties.getProperty(CLUSTER_ID, "").trim();
        shards = parsed(properties.getProperty(SHARDS, "").trim());
    }

    private int parsed(String number) {
        int value = number.matches("\\d{1,4}") ? Integer.parseInt(number) : 0;
        if (value < 1 || value > MOST_SHARDS) {
            throw KAFKA_STORAGE_ERROR.because("the line " + SHARDS + " of " + path.resolve(PROPERTIES) + " says \""
                    + number + "\"; it must be the number of shards that the directory was made with");
        }
        return value;
    }

    private void write() throws IOException {
        String text = "# The layout of this directory and the cluster of its logs.\n" + FORMAT_KEY + "=" + FORMAT + "\n"
                + STORE_ID + "=" + storeId + "\n" + SHARDS + "=" + shards + "\n"
                + (clusterId.isEmpty() ? "" : CLUSTER_ID + "=" + clusterId + "\n");
        write(path.resolve(PROPERTIES), text);
    }

    private void write(Path file, String text) throws IOException {
        Path unfinished = file.resolveSibling(file.getFileName() + ".new");
        try (FileChannel channel = FileChannel.open(
                unfinished,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        shared.rename(unfinished, file);
    }

    /** Makes the directory this cluster's if it has no owner; fails if its logs belong to another cluster. */
    void belongTo(String cluster) throws IOException {
        if (clusterId.isEmpty()) {
            clusterId = cluster;
            write();
        } else if (!clusterId.equals(cluster)) {
            throw INCONSISTENT_CLUSTER_ID.because("The logs in " + path + " belong to cluster " + clusterId
                    + ", but this node belongs to cluster " + cluster + ". Nothing in that directory is touched."
                    + " Start the node with the data that these logs were written with. To take the logs into this"
                    + " cluster instead, delete the line " + CLUSTER_ID + " from " + path.resolve(PROPERTIES)
                    + " and start again: the command felice:strays shows them then.");
        }
    }

    int shards() {
        return shards;
    }

    // ---- power cuts

    private void noteRunning() throws IOException {
        Path running = path.resolve(RUNNING);
        String boot = bootId();
        afterPowerCut = Files.exists(running)
                && (boot.isEmpty() || !Files.readString(running, UTF_8).trim().equals(boot));
        if (!afterPowerCut) {
            write(running, boot + "\n");
        }
    }

    /** All files are sound again. */
    void noteRecovered() throws IOException {
        if (afterPowerCut) {
            write(path.resolve(RUNNING), bootId() + "\n");
            afterPowerCut = false;
        }
    }

    /** Which start of the system this is; empty if the system does not say. */
    private static String bootId() {
        try {
            return Files.readString(BOOT_ID, UTF_8).trim();
        } catch (IOException unknown) {
            return "";
        }
    }

    /** True if the engine ran when the system went down, so that what was not flushed may be missing. */
    boolean isAfterPowerCut() {
        return afterPowerCut;
    }

    /** All files were closed in order. */
    void markClean() {
        try {
            Files.deleteIfExists(path.resolve(RUNNING));
        } catch (IOException failure) {
            LOG.warn("{} was left without a sign of a clean stop: {}", path, failure.toString());
        }
    }

    @Override
    public void close() {
        unlock(path, lockFile);
    }
}
