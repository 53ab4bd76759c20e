package io.felice.broker.partition;

import static io.felice.api.ErrorCode.KAFKA_STORAGE_ERROR;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files that the broker keeps for one partition beside its log: leader epochs, producer snapshots, and the offset up to
 * which the log is compacted, in Kafka's formats. Nothing is written before the first record. A file that cannot be read is
 * no error, because scanning the log gives the same state. Pool threads only.
 */
public final class PartitionFiles {
    private static final Logger log = LoggerFactory.getLogger(PartitionFiles.class);
    private static final String EPOCHS = "leader-epoch-checkpoint";
    private static final String CLEANED = "cleaner-offset-checkpoint";
    private static final String SNAPSHOT = ".snapshot";
    private static final String SCRUB = "scrub-checkpoint";
    private static final int KEPT_SNAPSHOTS = 2;

    private Path directory;

    public PartitionFiles(Path directory) {
        this.directory = directory;
    }

    /** Renames the directory, at once and as a whole. */
    public synchronized void moveTo(Path other) throws IOException {
        Files.move(directory, other, StandardCopyOption.ATOMIC_MOVE);
        directory = other;
    }

    /** A producer snapshot and the log's end offset when it was taken. */
    public record Snapshot(long offset, Producers producers) {}

    /** Empty if there is no readable file. */
    public synchronized Optional<List<Epochs.Entry>> epochs() {
        Path file = directory.resolve(EPOCHS);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(CheckpointFile.read(file).stream()
                    .map(PartitionFiles::entry)
                    .toList());
        } catch (IOException | RuntimeException damaged) {
            log.warn("{} is damaged; the leader epochs are read from the log instead: {}", file, damaged.toString());
            return Optional.empty();
        }
    }

    private static Epochs.Entry entry(String line) {
        String[] words = line.split(" ");
        return new Epochs.Entry(Integer.parseInt(words[0]), Long.parseLong(words[1]));
    }

    public synchronized void writeEpochs(List<Epochs.Entry> entries) throws IOException {
        Files.createDirectories(directory);
        CheckpointFile.write(
                directory.resolve(EPOCHS),
                entries.stream()
                        .map(entry -> entry.epoch() + " " + entry.startOffset())
                        .toList());
    }

    /**
     * The newest readable snapshot not above {@code end}. Snapshots above {@code end} have lost records and are
     * removed.
     */
    public synchronized Optional<Snapshot> newestSnapshot(long end) {
        NavigableMap<Long, Path> snapshots = snapshotsOrNoOpening();
        snapshots.tailMap(end, false).values().forEach(PartitionFiles::remove);
        for (var snapshot : snapshots.headMap(end, true).descendingMap().entrySet()) {
            try {
                Producers producers = Producers.of(ByteBuffer.wrap(Files.readAllBytes(snapshot.getValue())));
                return Optional.of(new Snapshot(snapshot.getKey(), producers));
            } catch (IOException | RuntimeException damaged) {
                log.warn("{} is damaged; more of the log is read instead: {}", snapshot.getValue(), damaged.toString());
            }
        }
        return Optional.empty();
    }

    /**
     * If the directory cannot be listed, the log is not opened: a snapshot of lost records might stay, and would be
     * used once other records have their offsets.
     */
    private NavigableMap<Long, Path> snapshotsOrNoOpening() {
        try {
            return snapshots();
        } catch (IOException failure) {
            throw KAFKA_STORAGE_ERROR.because("The producer snapshots in " + directory + " cannot be listed", failure);
        }
    }

    public synchronized void writeSnapshot(long offset, ByteBuffer bytes) throws IOException {
        Files.createDirectories(directory);
        CheckpointFile.replace(directory.resolve(String.format("%020d", offset) + SNAPSHOT), bytes);
        NavigableMap<Long, Path> snapshots = snapshots();
        while (snapshots.size() > KEPT_SNAPSHOTS) {
            remove(snapshots.pollFirstEntry().getValue());
        }
    }

    /**
     * How far {@link Scrub} has read the log.
     *
     * @param begunAtMs when its last pass began, in milliseconds since the epoch
     * @param readTo the offset to read next
     * @param passTo the offset at which the pass ends
     */
    public record ScrubState(long begunAtMs, long readTo, long passTo, List<Damages.Damage> damages) {
        public ScrubState {
            damages = List.copyOf(damages);
        }
    }

    /** Empty if there is no readable file. */
    synchronized Optional<ScrubState> scrub() {
        Path file = directory.resolve(SCRUB);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            List<String> lines = CheckpointFile.read(file);
            String[] state = lines.get(0).split(" ");
            return Optional.of(new ScrubState(
                    Long.parseLong(state[0]),
                    Long.parseLong(state[1]),
                    Long.parseLong(state[2]),
                    lines.stream().skip(1).map(PartitionFiles::damage).toList()));
        } catch (IOException | RuntimeException damaged) {
            log.warn("{} is damaged; the log is scrubbed from its start: {}", file, damaged.toString());
            return Optional.empty();
        }
    }

    private static Damages.Damage damage(String line) {
        String[] words = line.split(" ", 4);
        return new Damages.Damage(
                Long.parseLong(words[0]), Long.parseLong(words[1]), words[3], Long.parseLong(words[2]));
    }

    /** Does nothing before the first record. */
    synchronized void writeScrub(ScrubState state) throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        List<String> lines = new ArrayList<>();
        lines.add(state.begunAtMs() + " " + state.readTo() + " " + state.passTo());
        for (Damages.Damage damage : state.damages()) {
            String what = damage.what().replaceAll("\\s+", " ");
            lines.add(damage.from() + " " + damage.to() + " " + damage.foundAtMs() + " " + what);
        }
        CheckpointFile.write(directory.resolve(SCRUB), lines);
    }

    /** The offset below which the log is compacted; 0 if there is no readable file. */
    synchronized long cleanedTo() {
        Path file = directory.resolve(CLEANED);
        if (!Files.exists(file)) {
            return 0;
        }
        try {
            return Math.max(0, Long.parseLong(CheckpointFile.read(file).get(0)));
        } catch (IOException | RuntimeException damaged) {
            log.warn("{} is damaged; the whole log is compacted again: {}", file, damaged.toString());
            return 0;
        }
    }

    synchronized void writeCleanedTo(long offset) throws IOException {
        Files.createDirectories(directory);
        CheckpointFile.write(directory.resolve(CLEANED), List.of(Long.toString(offset)));
    }

    synchronized void forgetCleanedTo() throws IOException {
        Files.deleteIfExists(directory.resolve(CLEANED));
    }

    public synchronized void deleteAll() {
        if (!Files.isDirectory(directory)) {
            return;
        }
        try {
            list().forEach(PartitionFiles::remove);
        } catch (IOException failure) {
            log.warn("The files in {} cannot be listed and are not removed: {}", directory, failure.toString());
        }
        remove(directory);
    }

    private NavigableMap<Long, Path> snapshots() throws IOException {
        NavigableMap<Long, Path> snapshots = new TreeMap<>();
        for (Path file : list()) {
            String name = file.getFileName().toString();
            if (name.endsWith(SNAPSHOT)) {
                try {
                    snapshots.put(Long.parseLong(name.substring(0, name.length() - SNAPSHOT.length())), file);
                } catch (NumberFormatException notOurs) {
                    log.debug("{} is no snapshot", file);
                }
            }
        }
        return snapshots;
    }

    private List<Path> list() throws IOException {
        if (Files.notExists(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        } catch (UncheckedIOException failure) {
            throw failure.getCause();
        }
    }

    private static void remove(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException failure) {
            log.warn("{} cannot be removed: {}", file, failure.toString());
        }
    }
}
