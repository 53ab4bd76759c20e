package io.felice.storage.log;

import io.felice.api.storage.LogId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the segments and the end of a log when it is opened. A log that ends exactly at its recovery point is not
 * scanned. Otherwise the segments from the recovery point on are scanned: the first batch that is incomplete, out of
 * order or, above the recovery point, has a wrong CRC ends the log. After a failed fsync everything above the recovery
 * point is written and flushed again before the scan, so that the batches which the scan finds are on the disk.
 */
final class LogRecovery {
    private static final Logger LOG = LoggerFactory.getLogger(LogRecovery.class);
    private static final int NAME_DIGITS = 20;
    private static final int HEAP_WINDOW_BYTES = 64 << 10;
    private static final Pattern LOG_FILE = Pattern.compile("\\d{20}\\.log");
    private static final Pattern INDEX_FILE = Pattern.compile("\\d{20}\\.(index|timeindex)");
    private static final Pattern LEFTOVER_FILE = Pattern.compile(".*\\.(cleaned|deleted|tmp)");

    private final LogId id;
    private final LogResources shared;
    private final LogDirectory directory;
    private final Supplier<Path> place;
    private final long logStart;
    private final long recoveryPoint;

    private List<SegmentFile> segments = new ArrayList<>();
    private long end;
    private long flushed;

    LogRecovery(LogId id, LogResources shared, LogDirectory directory, Supplier<Path> place) {
        this.id = id;
        this.shared = shared;
        this.directory = directory;
        this.place = place;
        String key = LogDirectory.keyOf(place.get());
        this.logStart = directory.logStarts().get(key, 0);
        this.recoveryPoint = directory.recoveryPoints().get(key, 0);
    }

    List<SegmentFile> segments() {
        return segments;
    }

    long logStart() {
        return logStart;
    }

    long end() {
        return end;
    }

    long flushed() {
        return flushed;
    }

    void recover() throws IOException {
        try {
            recoverSegments();
        } catch (IOException | RuntimeException failure) {
            segments.forEach(SegmentFile::retire);
            throw failure;
        }
    }

    private void recoverSegments() throws IOException {
        List<Long> bases = basesOnDisk();
        if (bases.isEmpty()) {
            segments.add(SegmentFile.begin(shared, place, logStart));
            end = logStart;
            flushed = logStart;
            return;
        }
        for (int i = 0; i < bases.size(); i++) {
            segments.add(found(bases.get(i), i + 1 < bases.size() ? bases.get(i + 1) : 0));
        }
        if (directory.hasFailedFsync(id)) {
            writeAgain();
        }
        if (!endsAtTheRecoveryPoint()) {
            long began = System.nanoTime();
            scan();
            shared.counters().recoveredLogs.increment();
            shared.counters().recoveryNanos.add(System.nanoTime() - began);
        }
        flushed = Math.min(recoveryPoint, end);
        segments.forEach(segment -> segment.file.closeIfUnused());
    }

    private List<Long> basesOnDisk() throws IOException {
        Set<Long> bases = new TreeSet<>();
        List<Path> indexes = new ArrayList<>();
        List<SwapFile> swaps = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(place.get())) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                SwapFile swap = SwapFile.of(entry);
                if (swap != null) {
                    swaps.add(swap);
                } else if (LOG_FILE.matcher(name).matches()) {
                    bases.add(baseOf(entry));
                } else if (INDEX_FILE.matcher(name).matches()) {
                    indexes.add(entry);
                } else if (LEFTOVER_FILE.matcher(name).matches()) {
                    shared.files().delete(entry);
                }
            }
        }
        for (SwapFile swap : swaps) {
            swap.putInPlace(shared.files(), bases);
        }
        for (Path index : indexes) {
            if (!bases.contains(baseOf(index))) {
                shared.files().delete(index);
            }
        }
        return List.copyOf(bases);
    }

    private static long baseOf(Path file) {
        return Long.parseLong(file.getFileName().toString().substring(0, NAME_DIGITS));
    }

    private SegmentFile found(long base, long next) throws IOException {
        Path file = place.get().resolve(SegmentFile.nameOf(base, ".log"));
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        long createdAt = attributes.creationTime().toMillis();
        return SegmentFile.found(shared, place, base, next, attributes.size(), createdAt);
    }

    /** True if all batches were flushed; the last segment is the active one again then. */
    private boolean endsAtTheRecoveryPoint() {
        SegmentFile last = segments.get(segments.size() - 1);
        boolean mayEndThere = recoveryPoint > last.baseOffset || (recoveryPoint == last.baseOffset && last.size() == 0);
        if (!mayEndThere || !last.hasItsIndexFiles()) {
            return false;
        }
        last.file.enter();
        try {
            end = last.resume();
            return end == recoveryPoint;
        } catch (IOException notWhole) {
            return false;
        } finally {
            last.file.leave();
        }
    }

    /** Writes the same bytes to the same positions, so a power cut meanwhile destroys nothing. */
    private void writeAgain() throws IOException {
        LOG.warn("An fsync of {} failed; its batches from offset {} on are written again", id, recoveryPoint);
        ByteBuffer window = ByteBuffer.allocate(HEAP_WINDOW_BYTES);
        for (SegmentFile segment : segments.subList(firstUnverified(), segments.size())) {
            segment.file.enter();
            try {
                segment.writeAgain(window, recoveryPoint);
            } finally {
                segment.file.leave();
            }
        }
        directory.forgetFailedFsync(id);
    }

    /** Number of the segment that holds the recovery point. */
    private int firstUnverified() {
        int first = 0;
        while (first + 1 < segments.size() && segments.get(first + 1).baseOffset <= recoveryPoint) {
            first++;
        }
        return first;
    }

    private void scan() throws IOException {
        int first = firstUnverified();
        ByteBuffer pooled = shared.tails().take(windowFor(segments.subList(first, segments.size())));
        try {
            scanFrom(first, pooled == null ? ByteBuffer.allocate(HEAP_WINDOW_BYTES) : pooled);
        } finally {
            if (pooled != null) {
                shared.tails().giveBack(pooled.clear());
            }
        }
    }

    private int windowFor(List<SegmentFile> unverified) {
        long largest = unverified.stream().mapToLong(SegmentFile::size).max().orElse(0);
        int size = TailBuffers.SMALLEST;
        while (size < largest && size < shared.tails().largest()) {
            size *= 2;
        }
        return size;
    }

    private void scanFrom(int first, ByteBuffer window) throws IOException {
        for (int i = first; i < segments.size(); i++) {
            SegmentFile segment = segments.get(i);
            segment.file.enter();
            try {
                if (!scan(i, segment, window)) {
                    return;
                }
            } catch (IOException failure) {
                directory.noteFailedFsync(id);
                throw failure;
            } finally {
                segment.file.leave();
            }
            segment.seal(segments.get(i + 1).baseOffset);
        }
    }

    /** Scans one segment; true if the log continues in the next one. */
    private boolean scan(int number, SegmentFile segment, ByteBuffer window) throws IOException {
        long fileBytes = segment.size();
        end = segment.recover(window, recoveryPoint);
        segment.forcedTo(0);
        boolean last = number + 1 == segments.size();
        boolean goesOn = !last && follows(segment, fileBytes, segments.get(number + 1).baseOffset);
        if (!goesOn) {
            dropAfter(number, fileBytes, window);
        }
        segment.cutOffRest(fileBytes);
        return goesOn;
    }

    /**
     * True if the next segment continues this segment. Zeros behind the last batch may be left of lost batches. No batch
     * was lost if the next segment begins at the offset after the last batch.
     */
    private boolean follows(SegmentFile segment, long fileBytes, long next) throws IOException {
        return segment.size() == fileBytes ? end <= next : end == next && segment.endsWithZeros(fileBytes);
    }

    /**
     * Drops the segments after the one in which the log ends; bytes that may contain whole batches are kept in
     * {@link DroppedBatches}. The segment in which the log ends is cut off later: if it were cut off first, a crash in
     * between would leave a log with a gap.
     */
    private void dropAfter(int last, long fileBytes, ByteBuffer window) throws IOException {
        DroppedBatches dropped = new DroppedBatches(shared.files());
        boolean moreFollows = last + 1 < segments.size();
        if (segments.get(last).size() < fileBytes) {
            dropped.addRest(segments.get(last), fileBytes, window, moreFollows);
        }
        for (int i = segments.size() - 1; i > last; i--) {
            dropped.add(segments.get(i), window);
        }
        segments = new ArrayList<>(segments.subList(0, last + 1));
        if (!dropped.isEmpty()) {
            shared.files().syncDirectory(place.get());
            LOG.warn("{}", dropped.sentence(id.toString(), end));
        } else if (segments.get(last).size() < fileBytes && !segments.get(last).endsWithZeros(fileBytes)) {
            LOG.warn(
                    "{} ends at offset {}: the last {} bytes of {} contain no whole batch and are cut off",
                    id,
                    end,
                    fileBytes - segments.get(last).size(),
                    segments.get(last).logFile());
        }
    }
}
