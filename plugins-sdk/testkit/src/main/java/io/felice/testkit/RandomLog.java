package io.felice.testkit;

import static io.felice.testkit.LogContents.bytesOf;
import static io.felice.testkit.LogContents.everythingIn;
import static io.felice.testkit.StorageEngineContract.settle;
import static io.felice.testkit.TestBatches.batch;
import static io.felice.testkit.TestBatches.copyOf;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/**
 * Applies random operations to a log and to a model of it, a list of batches. Checks after each operation that both
 * agree.
 */
final class RandomLog {
    private static final int MOST_PINS = 5;
    private static final int MOST_NOTED = 20;

    private record Kept(long base, long next, long timestamp, byte[] bytes) {}

    private record Pinned(Records records, byte[] bytes, long next) {}

    private final Random random;
    private final boolean replaces;
    private final List<Kept> model = new ArrayList<>();
    private final Deque<Pinned> pins = new ArrayDeque<>();
    private PartitionLog log;
    private long start;
    private long end;
    private int appends;
    /** A replacement is under way, which is one of the log's only. */
    private boolean isReplacing;
    /** The log was truncated since the replacement began. */
    private boolean wasCut;

    /** The last operations that have changed the log; appends in a row are one. */
    private final Deque<String> changes = new ArrayDeque<>();

    private int appendsInARow;
    /** The read that is under way; null if the last operation was a change. */
    private String look;

    /** @param replaces true if the engine can replace ranges */
    RandomLog(long seed, PartitionLog log, boolean replaces) {
        this.random = new Random(seed);
        this.log = log;
        this.replaces = replaces;
    }

    boolean wantsRestart() {
        return random.nextInt(400) == 0;
    }

    void reopened(PartitionLog reopened, boolean sameData) {
        note("restart");
        log = reopened;
        if (!sameData) {
            model.clear();
            start = 0;
            end = 0;
        }
        assertSame();
        assertThat(everythingIn(log)).isEqualTo(join(model));
    }

    void step() {
        int dice = random.nextInt(100);
        if (dice < 45) {
            append();
        } else if (dice < 75) {
            read();
        } else if (dice < 82) {
            note("settle");
            settle(log);
        } else if (dice < 86) {
            pin();
        } else if (dice < 88) {
            truncate();
        } else if (dice < 91) {
            trim();
        } else if (dice < 94) {
            note("roll");
            log.roll();
        } else if (dice < 96) {
            replace();
        } else if (dice < 97) {
            configure();
        } else {
            scan();
        }
        assertSame();
    }

    private void append() {
        long base = end + (random.nextInt(10) == 0 ? random.nextInt(100) : 0);
        int bytes = random.nextInt(50) == 0 ? random.nextInt(300_000) : random.nextInt(300);
        RecordBatch batch = batch(1 + random.nextInt(5))
                .values((appends++ + "x").repeat(1 + bytes / 4))
                .timestamp(random.nextInt(100_000))
                .at(base);
        note("append " + batch);
        log.append(batch);
        model.add(new Kept(base, batch.nextOffset(), batch.maxTimestamp(), copyOf(batch)));
        end = batch.nextOffset();
    }

    private void read() {
        long from = start + random.nextInt((int) (end - start) + 1);
        long limit = random.nextBoolean() ? Long.MAX_VALUE : from + random.nextInt(50);
        int maxBytes = random.nextInt(4) == 0 ? random.nextInt(300) : random.nextInt(10_000);
        boolean atLeastOne = random.nextBoolean();
        noteLook("read " + from + " limit " + limit + " maxBytes " + maxBytes + " atLeastOne " + atLeastOne);
        try (Records records = log.read(from, limit, maxBytes, atLeastOne)) {
            assertRead(records, from, limit, maxBytes, atLeastOne);
        }
    }

    private void assertRead(Records records, long from, long limit, int maxBytes, boolean atLeastOne) {
        byte[] bytes = bytesOf(records);
        assertThat(bytes).hasSize(records.sizeInBytes());
        List<Kept> expected = model.stream()
                .filter(kept -> kept.next() > from)
                .takeWhile(kept -> kept.next() <= limit)
                .toList();
        int at = 0;
        int count = 0;
        while (at < bytes.length) {
            assertThat(expected.size()).as("batches expected").isGreaterThan(count);
            byte[] one = expected.get(count).bytes();
            assertThat(Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + one.length)))
                    .isEqualTo(one);
            at += one.length;
            count++;
        }
        if (bytes.length > maxBytes) {
            assertThat(atLeastOne && count == 1)
                    .as("a batch above maxBytes must be the first one")
                    .isTrue();
        }
        if (!expected.isEmpty() && (atLeastOne || expected.get(0).bytes().length <= maxBytes)) {
            assertThat(count).as("batches read").isPositive();
        }
        if (count > 0) {
            assertReadsOn(records.nextOffset(), expected.get(count - 1));
        }
    }

    /**
     * Checks that the next offset is between the end of the last batch that was read and the base offset of the batch
     * after it. Without a batch after it, the end of the log is the upper bound.
     */
    private void assertReadsOn(long nextOffset, Kept lastRead) {
        int following = model.indexOf(lastRead) + 1;
        long most = following < model.size() ? model.get(following).base() : end;
        assertThat(nextOffset).as("the next offset").isBetween(lastRead.next(), most);
    }

    private void pin() {
        if (pins.size() == MOST_PINS) {
            release(pins.removeFirst());
        }
        long from = start + random.nextInt((int) (end - start) + 1);
        noteLook("pin " + from);
        Records records = log.read(from, Long.MAX_VALUE, 5_000, true);
        byte[] bytes = bytesOf(records);
        List<RecordBatch> batches = LogContents.batchesIn(bytes);
        long next = batches.isEmpty() ? 0 : batches.get(batches.size() - 1).nextOffset();
        pins.add(new Pinned(records, bytes, next));
    }

    private void release(Pinned pinned) {
        assertThat(bytesOf(pinned.records())).as("pinned bytes").isEqualTo(pinned.bytes());
        pinned.records().close();
    }

    void releaseAll() {
        pins.forEach(this::release);
        pins.clear();
    }

    /**
     * Truncates mostly near the end of the log, sometimes below its start. Closes pinned records above the new end
     * first.
     */
    private void truncate() {
        long to = random.nextInt(10) == 0 ? Math.max(0, start - random.nextInt(20)) : end - random.nextInt(40);
        note("truncate to " + to);
        if (to < 0) {
            return;
        }
        wasCut = true;
        pins.removeIf(pinned -> {
            if (pinned.next() > to) {
                release(pinned);
                return true;
            }
            return false;
        });
        log.truncateTo(to);
        if (to < start) {
            start = to;
            end = to;
            model.clear();
            return;
        }
        model.removeIf(kept -> kept.next() > to);
        long lowest = model.isEmpty()
                ? start
                : Math.max(start, model.get(model.size() - 1).next());
        assertThat(log.endOffset()).as("end after truncation").isBetween(lowest, Math.min(to, end));
        end = log.endOffset();
    }

    private void trim() {
        long to = random.nextInt(10) == 0 ? end + random.nextInt(50) : start + random.nextInt((int) (end - start) + 1);
        if (random.nextInt(3) == 0 && log.segments().size() > 1) {
            to = log.segments().get(1).baseOffset();
        }
        note("trim to " + to);
        log.trimTo(to);
        long newStart = Math.max(start, to);
        model.removeIf(kept -> kept.next() <= newStart);
        start = newStart;
        end = Math.max(end, start);
    }

    /** Replaces up to four neighbouring segments; other operations run before the replacement is committed. */
    private void replace() {
        List<Segment> sealed = log.segments().stream().filter(Segment::sealed).toList();
        if (!replaces || isReplacing || sealed.isEmpty()) {
            return;
        }
        int first = random.nextInt(sealed.size());
        List<Segment> old = sealed.subList(first, Math.min(sealed.size(), first + 1 + random.nextInt(4)));
        List<Kept> left = inside(old).stream()
                .filter(kept -> random.nextInt(3) > 0)
                .map(kept -> random.nextInt(3) > 0 ? kept : smaller(kept))
                .toList();
        note("replace " + old);
        isReplacing = true;
        wasCut = false;
        try (Replacement replacement = log.replace(old)) {
            left.forEach(kept -> replacement.append(new RecordBatch(ByteBuffer.wrap(kept.bytes()), 0)));
            for (int more = random.nextInt(4); more > 0; more--) {
                step();
            }
            replacement.prepare();
            for (int more = random.nextInt(4); more > 0; more--) {
                step();
            }
            if (random.nextInt(5) > 0) {
                commit(replacement, old, left);
            }
            for (int more = random.nextInt(4); more > 0; more--) {
                step();
            }
        } finally {
            isReplacing = false;
        }
    }

    private List<Kept> inside(List<Segment> old) {
        long from = old.get(0).baseOffset();
        long to = old.get(old.size() - 1).nextOffset();
        return model.stream()
                .filter(kept -> kept.base() >= from && kept.base() < to)
                .toList();
    }

    /** A batch of the same offsets with other records. */
    private static Kept smaller(Kept kept) {
        RecordBatch batch = batch((int) (kept.next() - kept.base()))
                .values("y")
                .timestamp(kept.timestamp())
                .at(kept.base());
        return new Kept(kept.base(), kept.next(), kept.timestamp(), copyOf(batch));
    }

    /** The bytes of a segment may change when the log is trimmed inside it. */
    private static List<List<Long>> ranges(List<Segment> segments) {
        return segments.stream()
                .filter(Segment::sealed)
                .map(segment -> List.of(segment.baseOffset(), segment.nextOffset()))
                .toList();
    }

    /** A log that lost segments that are replaced refuses; one that was truncated elsewhere may. */
    private void commit(Replacement replacement, List<Segment> old, List<Kept> left) {
        boolean changed = !ranges(log.segments()).containsAll(ranges(old));
        note("commit of " + old + (changed ? ", which changed" : ""));
        try {
            replacement.commit();
        } catch (FeliceException refused) {
            assertThat(refused.code()).isEqualTo(ErrorCode.OFFSET_OUT_OF_RANGE);
            assertThat(changed || wasCut).as("refused: " + refused).isTrue();
            return;
        }
        assertThat(changed).as("changed, and yet replaced").isFalse();
        model.removeAll(inside(old));
        model.addAll(left.stream().filter(kept -> kept.next() > start).toList());
        model.sort(Comparator.comparingLong(Kept::base));
        assertSame();
        assertThat(everythingIn(log)).isEqualTo(join(model));
    }

    private void configure() {
        SegmentSizes sizes = new SegmentSizes(200 + random.nextInt(100_000), random.nextInt(5_000));
        note("configure " + sizes);
        log.configure(sizes);
    }

    private void scan() {
        long timestamp = random.nextInt(110_000);
        noteLook("scan for " + timestamp);
        long from = log.scanStartFor(timestamp);
        assertThat(from).isBetween(start, end);
        model.stream().filter(kept -> kept.timestamp() >= timestamp).findFirst().ifPresent(kept -> assertThat(from)
                .isLessThan(kept.next()));
    }

    private void assertSame() {
        assertThat(log.startOffset()).as("start").isEqualTo(start);
        assertThat(log.endOffset()).as("end").isEqualTo(end);
        List<Segment> segments = log.segments();
        for (int i = 0; i + 1 < segments.size(); i++) {
            assertThat(segments.get(i).sealed()).isTrue();
            assertThat(segments.get(i).nextOffset())
                    .as("end of segment " + i)
                    .isEqualTo(segments.get(i + 1).baseOffset());
        }
        Segment active = segments.get(segments.size() - 1);
        assertThat(active.sealed()).isFalse();
        assertThat(active.nextOffset()).isEqualTo(end);
    }

    private static byte[] join(List<Kept> batches) {
        return batches.stream().map(Kept::bytes).reduce(new byte[0], TestBatches::concat);
    }

    private void note(String change) {
        boolean isAppend = change.startsWith("append ");
        appendsInARow = isAppend ? appendsInARow + 1 : 0;
        if (appendsInARow > 1) {
            changes.removeLast();
        } else if (changes.size() == MOST_NOTED) {
            changes.removeFirst();
        }
        String times = appendsInARow > 1 ? appendsInARow + " appends, the last one " : "";
        changes.addLast(times + change + " to a log of " + start + ".." + end);
        look = null;
    }

    private void noteLook(String operation) {
        look = operation;
    }

    /** The last changes, then what failed: a change before the last operation may be what went wrong. */
    @Override
    public String toString() {
        return String.join("\n", changes)
                + (look == null ? "" : "\n" + look)
                + "\nThe model has " + start + ".." + end + " in " + model.size() + " batches";
    }
}
