package io.felice.broker;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import io.felice.api.Reserve;
import io.felice.api.TopicPartition;
import io.felice.api.storage.LogId;
import io.felice.broker.partition.CheckpointFile;
import io.felice.broker.partition.PartitionFiles;
import java.io.IOException;
import java.io.Reader;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's data directory: the ids of the node and the cluster, and the state that the broker keeps besides the logs.
 *
 * <pre>
 *  felice.properties                     node id, cluster id, store id, format version, newest lease
 *  .lock                                 locked while a broker uses the directory
 *  felice.reserve                        room for a start on a full disk, see {@link Reserve}
 *  replication-offset-checkpoint         high watermarks, in Kafka's format
 *  last-run                              how the last run has ended, see {@link LastRun}
 *  metadata-version                      the newest version of the cluster's metadata that this node has followed
 *  storage-engines                       the bundle that keeps the logs of each engine
 *  state/&lt;engine&gt;/&lt;topic id&gt;-&lt;partition&gt;/   files of a log in this engine, see {@link PartitionFiles}
 *  copies/&lt;engine&gt;/&lt;topic id&gt;-&lt;partition&gt;/  files of a copy of a log that is being moved to this engine
 * </pre>
 *
 * <p>While a log is moved to another engine, its copy's files are in {@code copies}. The rename of that directory into
 * {@code state} is the one step that makes the copy the log. The directory then has a file {@code moved-from} with the name
 * of the engine that had the log, until the old log and its files are deleted.
 *
 * <p>Opened and closed on one thread. Pool threads use the files of a partition, one thread at a time.
 */
final class NodeState implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(NodeState.class);
    private static final int FORMAT_VERSION = 1;
    private static final String PROPERTIES = "felice.properties";
    private static final String NODE_ID = "node.id";
    private static final String CLUSTER_ID = "cluster.id";
    private static final String STORE_ID = "store.id";
    private static final String VERSION = "format.version";
    private static final String LEASE = "lease";
    private static final String HIGH_WATERMARKS = "replication-offset-checkpoint";
    private static final String METADATA_VERSION = "metadata-version";
    private static final String KEEPERS = "storage-engines";
    /** Marks the directory of a stray log that is being taken in: the node does not know this log yet. */
    private static final String BEING_TAKEN_IN = "being-taken-in";

    private static final String COPIES = "copies";
    private static final String UNTOUCHED = "untouched";
    private static final String CANCELLED = "cancelled";
    /** Names the engine that still has the log as it was before a move. */
    private static final String MOVED_FROM = "moved-from";

    private static final int UUID_LETTERS = 36;
    private static final int LOCK_ATTEMPTS = 100;
    private static final long LOCK_PAUSE_MS = 100;
    /** More than the new and the old properties file and a new block of the directory take. */
    private static final long NEEDED_BYTES = 64 << 10;
    /** For the leader epochs of partitions, which are written before the first append after a start. */
    private static final int RESERVE_BYTES = 1 << 20;

    private final Path root;
    private final Map<String, String> properties;
    private final Map<String, String> idsOnDisk;
    private final FileChannel lock;
    private final Map<LogId, String> engines;
    private final Map<String, String> keepers;
    /** The engines to which logs are being copied. */
    private final Map<LogId, String> copies;
    /** The engines that have logs as they were before a move. */
    private final Map<LogId, String> left;

    private boolean isOwned;
    private volatile long metadataVersion;

    /** Why a data directory cannot be used: one sentence for the operator. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        Refused(String sentence, Throwable cause) {
            super(sentence, cause);
        }

        Refused(String sentence) {
            this(sentence, null);
        }
    }

    /**
     * The state in a directory that nobody else uses.
     *
     * @param properties what the file {@code felice.properties} has, with a new lease
     * @param lock is closed with the state; null if there is none
     */
    NodeState(Path root, Map<String, String> properties, FileChannel lock) throws IOException {
        this.root = root;
        this.properties = properties;
        this.idsOnDisk = Files.exists(root.resolve(PROPERTIES)) ? ids() : Map.of();
        this.lock = lock;
        this.left = new ConcurrentHashMap<>();
        this.engines = findEngines();
        this.copies = findCopies();
        this.keepers = readKeepers(root);
        this.metadataVersion = readMetadataVersion(root);
    }

    /**
     * Locks the data directory, which is created if it is missing, and takes a lease above all earlier leases. Only
     * {@link #belongTo} writes the ids, so that a refused start changes nothing.
     */
    static NodeState open(Path root, int nodeId, Clock clock) throws Refused {
        FileChannel lock = null;
        try {
            Files.createDirectories(root);
            lock = lock(root);
            makeRoom(new Reserve(root, RESERVE_BYTES));
            Map<String, String> properties = owned(root, nodeId);
            long last = Long.parseLong(properties.getOrDefault(LEASE, "0"));
            properties.put(LEASE, Long.toString(Math.max(last + 1, clock.millis())));
            return new NodeState(root, properties, lock);
        } catch (IOException | RuntimeException failure) {
            release(lock);
            throw new Refused("The data directory " + root + " cannot be used: " + failure, failure);
        } catch (Refused refused) {
            release(lock);
            throw refused;
        }
    }

    private static void makeRoom(Reserve reserve) throws IOException {
        if (reserve.release(RESERVE_BYTES / 4) >= RESERVE_BYTES / 4) {
            reserve.keep();
        }
    }

    /** Waits up to ten seconds for a stopping broker of the same process. */
    private static FileChannel lock(Path root) throws IOException, Refused {
        FileChannel channel =
                FileChannel.open(root.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        for (int left = LOCK_ATTEMPTS; left > 0; left--) {
            try {
                if (channel.tryLock() != null) {
                    return channel;
                }
                break;
            } catch (OverlappingFileLockException heldInThisProcess) {
                pause();
            }
        }
        channel.close();
        throw new Refused("The data directory " + root
                + " is in use by another broker; stop that broker first, or give this broker another data.dir.");
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(LOCK_PAUSE_MS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", interrupted);
        }
    }

    private static Map<String, String> owned(Path root, int nodeId) throws IOException, Refused {
        Path file = root.resolve(PROPERTIES);
        if (!Files.exists(file)) {
            Map<String, String> fresh = new TreeMap<>();
            fresh.put(VERSION, Integer.toString(FORMAT_VERSION));
            fresh.put(NODE_ID, Integer.toString(nodeId));
            fresh.put(STORE_ID, UUID.randomUUID().toString());
            return fresh;
        }
        Map<String, String> found = load(file);
        int version = Integer.parseInt(found.getOrDefault(VERSION, "0"));
        if (version > FORMAT_VERSION) {
            throw new Refused(
                    "The data directory " + root + " has format version " + version + ", this Felice reads up to "
                            + FORMAT_VERSION + "; start the Felice that wrote it, or a newer one.");
        }
        if (!Integer.toString(nodeId).equals(found.get(NODE_ID))) {
            throw new Refused("The data directory " + root + " belongs to node " + found.get(NODE_ID)
                    + ", but broker.id is " + nodeId + "; correct broker.id or data.dir.");
        }
        return found;
    }

    private static Map<String, String> load(Path file) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
        }
        Map<String, String> values = new TreeMap<>();
        properties.stringPropertyNames().forEach(key -> values.put(key, properties.getProperty(key)));
        return values;
    }

    private void save() throws IOException {
        Properties written = new Properties();
        written.putAll(properties);
        StringWriter text = new StringWriter();
        written.store(text, null);
        CheckpointFile.replaceDurably(
                root.resolve(PROPERTIES), ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8)));
    }

    /** The engine of each log, from the names of the directories. */
    private Map<LogId, String> findEngines() throws IOException {
        Map<LogId, String> found = new ConcurrentHashMap<>();
        for (Path engine : children(root.resolve("state"))) {
            for (Path partition : children(engine)) {
                Optional<LogId> id = idOf(partition.getFileName().toString());
                if (id.isPresent() && !Files.exists(partition.resolve(BEING_TAKEN_IN))) {
                    found(id.get(), engine.getFileName().toString(), partition, found);
                }
            }
        }
        return found;
    }

    /** If two engines have the log, it was moved to the one that says so. */
    private void found(LogId id, String engine, Path partition, Map<LogId, String> found) throws IOException {
        Path mark = partition.resolve(MOVED_FROM);
        if (Files.exists(mark)) {
            left.put(id, Files.readString(mark).trim());
            found.put(id, engine);
        } else if (!engine.equals(left.get(id))) {
            found.putIfAbsent(id, engine);
        }
    }

    private Map<LogId, String> findCopies() throws IOException {
        Map<LogId, String> found = new ConcurrentHashMap<>();
        for (Path engine : children(root.resolve(COPIES))) {
            for (Path partition : children(engine)) {
                idOf(partition.getFileName().toString())
                        .ifPresent(id -> found.put(id, engine.getFileName().toString()));
            }
        }
        return found;
    }

    private static List<Path> children(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> children = Files.list(directory)) {
            return children.filter(Files::isDirectory).toList();
        }
    }

    private static Optional<LogId> idOf(String name) {
        try {
            return Optional.of(new LogId(
                    UUID.fromString(name.substring(0, UUID_LETTERS)),
                    Integer.parseInt(name.substring(UUID_LETTERS + 1)),
                    name));
        } catch (RuntimeException notOurs) {
            return Optional.empty();
        }
    }

    Path root() {
        return root;
    }

    UUID storeId() {
        return UUID.fromString(properties.get(STORE_ID));
    }

    /** Greater than the lease of every broker that used this directory before. */
    long lease() {
        return Long.parseLong(properties.get(LEASE));
    }

    /** Refuses the directory of another cluster. */
    void checkCluster(String clusterId) throws Refused {
        String known = properties.getOrDefault(CLUSTER_ID, clusterId);
        if (!known.equals(clusterId)) {
            throw new Refused("The data directory " + root + " belongs to cluster " + known
                    + ", but the cluster found is " + clusterId + "; correct data.dir or the cluster's address.");
        }
    }

    /**
     * Writes the ids and the lease, once the cluster has admitted this broker. If the ids are on disk already, only the
     * lease is new: then a full disk is no reason to refuse the start, since the next lease is taken from the clock.
     */
    void belongTo(String clusterId) throws Refused {
        checkCluster(clusterId);
        if (isOwned) {
            return;
        }
        properties.put(CLUSTER_ID, clusterId);
        try {
            save();
        } catch (IOException failure) {
            if (!ids().equals(idsOnDisk)) {
                throw new Refused(notWritten(failure), failure);
            }
            log.warn("{}. The ids of this node are there already, so it goes on.", notWritten(failure));
        }
        isOwned = true;
    }

    /** What must be on disk before this node keeps records. */
    private Map<String, String> ids() {
        Map<String, String> ids = new TreeMap<>(properties);
        ids.remove(LEASE);
        return ids;
    }

    private String notWritten(IOException failure) {
        long free = root.toFile().getUsableSpace();
        return free < NEEDED_BYTES
                ? "The disk is full: " + free + " bytes are free for " + root + ", and the broker needs " + NEEDED_BYTES
                        + " bytes there to start"
                : "The data directory " + root + " cannot be written: " + failure;
    }

    /** The engine that has this log; empty if the log was never written to. */
    Optional<String> engineOf(LogId id) {
        return Optional.ofNullable(engines.get(id));
    }

    PartitionFiles files(LogId id, String engine) {
        return new PartitionFiles(directoryOf(id, engine));
    }

    private Path directoryOf(LogId id, String engine) {
        return root.resolve("state").resolve(engine).resolve(nameOf(id));
    }

    List<LogId> known() {
        return Stream.of(engines, copies, left)
                .flatMap(logs -> logs.keySet().stream())
                .distinct()
                .toList();
    }

    /**
     * Notes that the log is in this engine. Called before the first write to the log; may write to disk.
     *
     * @param bundle the symbolic name of the engine's bundle, which keeps the logs of this engine from now on
     */
    void writtenIn(LogId id, String engine, Optional<String> bundle) {
        bundle.ifPresent(keeper -> keep(engine, keeper));
        engines.put(id, engine);
    }

    private synchronized void keep(String engine, String bundle) {
        String before = keepers.put(engine, bundle);
        if (bundle.equals(before)) {
            return;
        }
        try {
            writeKeepers();
        } catch (IOException failure) {
            if (before == null) {
                keepers.remove(engine);
            } else {
                keepers.put(engine, before);
            }
            throw KAFKA_STORAGE_ERROR.because(
                    "The bundle of the storage engine " + engine + " cannot be noted in data.dir: " + failure, failure);
        }
    }

    /**
     * The symbolic name of the bundle that keeps the logs which this node has in an engine; empty if there is no such log, or
     * if the bundle is not known.
     */
    Optional<String> keeperOf(String engine) {
        return Optional.ofNullable(keepers.get(engine));
    }

    /** A damaged file refuses the start: the wrong bundle would show topics without their records. */
    private static Map<String, String> readKeepers(Path root) throws IOException {
        Map<String, String> keepers = new ConcurrentHashMap<>();
        Path file = root.resolve(KEEPERS);
        if (Files.exists(file)) {
            for (String line : CheckpointFile.read(file)) {
                int space = line.indexOf(' ');
                keepers.put(line.substring(space + 1), line.substring(0, space));
            }
        }
        return keepers;
    }

    /** The log was deleted. A bundle without any log keeps the name of its engine no longer. */
    void deleted(LogId id, String engine) {
        forget(id, engine);
        releaseIfEmpty(engine);
    }

    private synchronized void releaseIfEmpty(String engine) {
        boolean isEmpty = Stream.of(engines, copies, left).noneMatch(logs -> logs.containsValue(engine));
        if (!isEmpty || keepers.remove(engine) == null) {
            return;
        }
        try {
            writeKeepers();
        } catch (IOException failure) {
            log.warn(
                    "That no log is left in the storage engine {} was not written to disk: {}",
                    engine,
                    failure.toString());
        }
    }

    private void writeKeepers() throws IOException {
        List<String> lines = new ArrayList<>();
        keepers.forEach((name, keeper) -> lines.add(keeper + " " + name));
        CheckpointFile.writeDurably(root.resolve(KEEPERS), lines);
    }

    /** Forgets the log, its copy, and what a move has left. */
    void forget(LogId id) {
        dropCopy(id);
        forgetLeft(id);
        String engine = engines.remove(id);
        if (engine != null) {
            files(id, engine).deleteAll();
        }
    }

    /** As {@link #forget(LogId)}, for what this engine has of the log. */
    void forget(LogId id, String engine) {
        if (engine.equals(copies.get(id))) {
            dropCopy(id);
        }
        if (engine.equals(left.get(id))) {
            forgetLeft(id);
        }
        if (engines.remove(id, engine)) {
            files(id, engine).deleteAll();
        }
    }

    /** True if this node has written the log in this engine: the log itself, a copy, or what a move has left. */
    boolean isKnown(LogId id, String engine) {
        return engine.equals(engines.get(id)) || engine.equals(copies.get(id)) || engine.equals(left.get(id));
    }

    // ---- moving a log to another engine

    /** The logs that are being copied, each with the engine that gets the copy. */
    Map<LogId, String> copies() {
        return Map.copyOf(copies);
    }

    /** The logs that a move has left, each with the engine that still has it. */
    Map<LogId, String> left() {
        return Map.copyOf(left);
    }

    /** From now on the log is being moved to this engine, also after a restart. */
    void beginCopy(LogId id, String engine) throws IOException {
        Path copy = copyOf(id, engine);
        Files.createDirectories(copy);
        Files.writeString(copy.resolve(UNTOUCHED), "");
        copies.put(id, engine);
    }

    /** True until {@link #copyIsEmpty}: the engine may have an older log of this id, which must be deleted first. */
    boolean isCopyUntouched(LogId id, String engine) {
        return Files.exists(copyOf(id, engine).resolve(UNTOUCHED));
    }

    void copyIsEmpty(LogId id, String engine) throws IOException {
        Files.deleteIfExists(copyOf(id, engine).resolve(UNTOUCHED));
    }

    /** The copy is to be dropped, also after a restart. */
    void cancelCopy(LogId id) throws IOException {
        Files.writeString(copyOf(id, copies.get(id)).resolve(CANCELLED), "");
    }

    boolean isCopyCancelled(LogId id, String engine) {
        return Files.exists(copyOf(id, engine).resolve(CANCELLED));
    }

    PartitionFiles copyFiles(LogId id, String engine) {
        return new PartitionFiles(copyOf(id, engine));
    }

    private Path copyOf(LogId id, String engine) {
        return root.resolve(COPIES).resolve(engine).resolve(nameOf(id));
    }

    private static String nameOf(LogId id) {
        return id.topicId() + "-" + id.partition();
    }

    /** Forgets a copy. Its log must be deleted first, because after a restart nobody knows of it. */
    void dropCopy(LogId id) {
        String engine = copies.get(id);
        if (engine != null) {
            copyFiles(id, engine).deleteAll();
            copies.remove(id, engine);
        }
    }

    /**
     * Writes what must be on disk before {@link #copyTakesOver}. Nothing has changed yet, also after a restart.
     *
     * @param from the engine that has the log
     * @param bundle as in {@link #writtenIn}
     */
    void copyMayTakeOver(LogId id, String from, Optional<String> bundle) throws IOException {
        String to = copies.get(id);
        bundle.ifPresent(keeper -> keep(to, keeper));
        Files.createDirectories(directoryOf(id, to).getParent());
        CheckpointFile.replaceDurably(
                copyOf(id, to).resolve(MOVED_FROM), ByteBuffer.wrap((from + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    /**
     * The copy is the log from now on, also after a kill.
     *
     * @param files the files of the copy
     * @param from the engine that had the log
     * @throws IOException if nothing has changed
     */
    void copyTakesOver(LogId id, PartitionFiles files, String from) throws IOException {
        String to = copies.get(id);
        files.moveTo(directoryOf(id, to));
        engines.put(id, to);
        left.put(id, from);
        copies.remove(id);
    }

    /** On return the copy is the log also after a power cut. */
    void flushTakeOver(LogId id) throws IOException {
        String now = engines.get(id);
        if (now != null) {
            CheckpointFile.flushNames(directoryOf(id, now).getParent());
            CheckpointFile.flushNames(copyOf(id, now).getParent());
        }
    }

    /** The log that a move has left is deleted: deletes its files, then the note of the move. */
    void forgetLeft(LogId id) {
        String from = left.get(id);
        if (from == null) {
            return;
        }
        files(id, from).deleteAll();
        String now = engines.get(id);
        try {
            if (now != null) {
                Files.deleteIfExists(directoryOf(id, now).resolve(MOVED_FROM));
            }
            left.remove(id, from);
        } catch (IOException failure) {
            log.warn("The note that {} was moved from {} cannot be removed: {}", id, from, failure.toString());
        }
    }

    /** The node knows the log only after {@link #takenIn}. */
    PartitionFiles beginTakingIn(LogId id, String engine) throws IOException {
        Path marker = directoryOf(id, engine).resolve(BEING_TAKEN_IN);
        Files.createDirectories(marker.getParent());
        Files.writeString(marker, "");
        return files(id, engine);
    }

    void takenIn(LogId id, String engine, Optional<String> bundle) throws IOException {
        Files.deleteIfExists(directoryOf(id, engine).resolve(BEING_TAKEN_IN));
        writtenIn(id, engine, bundle);
    }

    /** The newest version of the cluster's metadata that this node has followed; 0 if it has followed none. */
    long metadataVersion() {
        return metadataVersion;
    }

    void followed(long version) {
        metadataVersion = version;
    }

    void writeMetadataVersion() throws IOException {
        CheckpointFile.write(root.resolve(METADATA_VERSION), List.of(Long.toString(metadataVersion)));
    }

    /**
     * The largest version if the file cannot be read. Then the next view counts as older metadata, and logs of topics
     * that the view lacks are not deleted.
     */
    private static long readMetadataVersion(Path root) {
        Path file = root.resolve(METADATA_VERSION);
        try {
            return Files.exists(file) ? Long.parseLong(CheckpointFile.read(file).get(0)) : 0;
        } catch (IOException | RuntimeException damaged) {
            log.warn(
                    "{} cannot be read and will be replaced; logs of unknown topics are set aside: {}",
                    file,
                    damaged.toString());
            return Long.MAX_VALUE;
        }
    }

    /** Empty if there is no readable checkpoint. */
    Map<TopicPartition, Long> highWatermarks() {
        Path file = root.resolve(HIGH_WATERMARKS);
        Map<TopicPartition, Long> watermarks = new HashMap<>();
        if (!Files.exists(file)) {
            return watermarks;
        }
        try {
            for (String line : CheckpointFile.read(file)) {
                String[] words = line.split(" ");
                watermarks.put(new TopicPartition(words[0], Integer.parseInt(words[1])), Long.parseLong(words[2]));
            }
        } catch (IOException | RuntimeException damaged) {
            log.warn("The checkpoint of the high watermarks cannot be read and is ignored: {}", damaged.toString());
            watermarks.clear();
        }
        return watermarks;
    }

    void writeHighWatermarks(Map<TopicPartition, Long> watermarks) throws IOException {
        List<String> lines = new ArrayList<>();
        watermarks.forEach((p, offset) -> lines.add(p.topic() + " " + p.partition() + " " + offset));
        CheckpointFile.write(root.resolve(HIGH_WATERMARKS), lines);
    }

    @Override
    public void close() {
        release(lock);
    }

    private static void release(FileChannel lock) {
        if (lock == null) {
            return;
        }
        try {
            lock.close();
        } catch (IOException failure) {
            log.warn("The lock of the data directory cannot be released: {}", failure.toString());
        }
    }
}
