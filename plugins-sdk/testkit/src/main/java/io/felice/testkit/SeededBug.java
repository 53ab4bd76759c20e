package io.felice.testkit;

import static io.felice.testkit.LogContents.batchesIn;
import static io.felice.testkit.LogContents.bytesOf;

import io.felice.api.RecordBatch;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import io.felice.api.storage.SegmentSizes;
import io.felice.api.storage.StorageEngine;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * A mistake that an engine could have. It is put into a good engine, and the contract must fail.
 *
 * @param caughtBy the test of the contract that must fail
 * @param needs the traits of an engine in which the mistake is one
 * @param into makes an engine with the mistake from a good one
 */
record SeededBug(String name, String caughtBy, Set<EngineTrait> needs, UnaryOperator<StorageEngine> into) {
    private static final int PLENTY = 1 << 20;

    static List<SeededBug> all() {
        List<SeededBug> all = new ArrayList<>();
        all.addAll(durability());
        all.addAll(truncationAndTrimming());
        all.addAll(reads());
        all.addAll(appends());
        all.addAll(segments());
        all.addAll(replacements());
        all.addAll(engines());
        return all;
    }

    boolean isOneFor(StorageEngine engine) {
        return engine.traits().containsAll(needs);
    }

    private static SeededBug ofLogs(
            String name, String caughtBy, Set<EngineTrait> needs, UnaryOperator<PartitionLog> mistake) {
        return new SeededBug(name, caughtBy, needs, engine -> new DelegatingEngine(engine, mistake));
    }

    private static SeededBug ofLogs(String name, String caughtBy, UnaryOperator<PartitionLog> mistake) {
        return ofLogs(name, caughtBy, Set.of(), mistake);
    }

    private static SeededBug afterKill(String name, String caughtBy, UnaryOperator<PartitionLog> mistake) {
        return ofLogs(name, caughtBy, Set.of(EngineTrait.SURVIVES_KILL), mistake);
    }

    // ---- what an acknowledgement promises

    private static List<SeededBug> durability() {
        return List.of(
                afterKill("settle writes nothing", "whatIsSettledSurvivesAKill", log -> new DelegatingEngine.Log(log) {
                    @Override
                    public void settle() {}
                }),
                afterKill(
                        "an acknowledgement before the write",
                        "theSettledOffsetPromisesNoMoreThanAKillLeaves",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public long settledOffset() {
                                return log.endOffset();
                            }
                        }),
                afterKill(
                        "a flush that says it is done and did nothing",
                        "whatIsFlushedSurvivesAKill",
                        log -> new DelegatingEngine.Log(log) {
                            private long said;

                            @Override
                            public CompletionStage<Void> flush(long upTo) {
                                said = Math.max(said, upTo);
                                return PartitionLog.flushed();
                            }

                            @Override
                            public long flushedOffset() {
                                return Math.min(said, log.endOffset());
                            }

                            @Override
                            public long settledOffset() {
                                return Math.max(log.settledOffset(), flushedOffset());
                            }
                        }),
                ofLogs(
                        "a flush that moves no offset",
                        "settlingAndFlushingMoveTheirOffsets",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public long flushedOffset() {
                                return 0;
                            }
                        }),
                afterKill("a truncation that is not durable", "truncationSurvivesAKill", Postponed.Truncation::new),
                afterKill("a trim that is not durable", "trimmingSurvivesACrash", Postponed.Trim::new));
    }

    /** Changes a log in memory, and its data only at the next call that writes. */
    private abstract static class Postponed extends DelegatingEngine.Log {
        static final long NOTHING = -1;

        long postponed = NOTHING;

        Postponed(PartitionLog log) {
            super(log);
        }

        abstract void catchUp(long to);

        private void catchUp() {
            if (postponed != NOTHING) {
                long to = postponed;
                postponed = NOTHING;
                catchUp(to);
            }
        }

        @Override
        public void append(RecordBatch batch) {
            catchUp();
            super.append(batch);
        }

        @Override
        public void roll() {
            catchUp();
            super.roll();
        }

        @Override
        public List<Segment> segments() {
            catchUp();
            return super.segments();
        }

        @Override
        public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
            catchUp();
            return super.read(from, limit, maxBytes, atLeastOne);
        }

        @Override
        public void settle() {
            catchUp();
            super.settle();
        }

        @Override
        public Replacement replace(List<Segment> old) {
            catchUp();
            return super.replace(old);
        }

        @Override
        public long settledOffset() {
            catchUp();
            return super.settledOffset();
        }

        @Override
        public void close() {
            catchUp();
            super.close();
        }

        private static final class Truncation extends Postponed {
            Truncation(PartitionLog log) {
                super(log);
            }

            @Override
            public void truncateTo(long end) {
                log.truncateTo(log.endOffset()); // fails if the handle is fenced
                if (end < log.endOffset()) {
                    if (end % 10 == 0 && end > log.startOffset()) {
                        postponed = end;
                    } else {
                        log.truncateTo(end);
                    }
                }
            }

            @Override
            void catchUp(long to) {
                log.truncateTo(to);
            }

            @Override
            public long endOffset() {
                return postponed == NOTHING ? log.endOffset() : postponed;
            }
        }

        private static final class Trim extends Postponed {
            Trim(PartitionLog log) {
                super(log);
            }

            @Override
            public void trimTo(long start) {
                log.trimTo(log.startOffset()); // fails if the handle is fenced
                if (start > log.startOffset()) {
                    postponed = start;
                }
            }

            @Override
            void catchUp(long to) {
                log.trimTo(to);
            }

            @Override
            public long startOffset() {
                return postponed == NOTHING ? log.startOffset() : postponed;
            }

            @Override
            public long endOffset() {
                return Math.max(log.endOffset(), postponed);
            }
        }
    }

    // ---- truncation and trimming

    private static List<SeededBug> truncationAndTrimming() {
        return List.of(
                ofLogs(
                        "truncation leaves a batch too many",
                        "truncationAtABatchBoundaryKeepsTheBatchesBelow",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public void truncateTo(long end) {
                                log.truncateTo(end + 10);
                            }
                        }),
                ofLogs(
                        "truncation is off by one",
                        "truncationAtABatchBoundaryKeepsTheBatchesBelow",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public void truncateTo(long end) {
                                log.truncateTo(end < log.endOffset() && end > log.startOffset() ? end - 1 : end);
                            }
                        }),
                ofLogs(
                        "truncation stops at the active segment",
                        "truncationRemovesSegments",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public void truncateTo(long end) {
                                List<Segment> segments = log.segments();
                                log.truncateTo(Math.max(
                                        end, segments.get(segments.size() - 1).baseOffset()));
                            }
                        }),
                ofLogs(
                        "truncation keeps the settled and flushed offsets",
                        "settledAndFlushedOffsetsNeverPassTheEnd",
                        log -> new DelegatingEngine.Log(log) {
                            private long settled;

                            @Override
                            public long settledOffset() {
                                settled = Math.max(settled, log.settledOffset());
                                return settled;
                            }

                            @Override
                            public void truncateTo(long end) {
                                settledOffset();
                                log.truncateTo(end);
                            }
                        }),
                ofLogs("a lost trim", "trimmingInTheMiddleOfABatchKeepsTheBatch", log -> new DelegatingEngine.Log(log) {
                    @Override
                    public void trimTo(long start) {}
                }),
                ofLogs(
                        "a trim is off by one",
                        "trimmingToTheEndEmptiesTheLogThere",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public void trimTo(long start) {
                                log.trimTo(start + 1);
                            }
                        }),
                ofLogs(
                        "a trim takes the whole batch",
                        "trimmingInTheMiddleOfABatchKeepsTheBatch",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public void trimTo(long start) {
                                log.trimTo(
                                        start > log.startOffset() && start < log.endOffset()
                                                ? (start + 9) / 10 * 10
                                                : start);
                            }
                        }),
                ofLogs(
                        "a trim keeps the segments",
                        "trimmingDropsTheSegmentsBelow",
                        log -> new DelegatingEngine.Log(log) {
                            private long start;

                            @Override
                            public long startOffset() {
                                return Math.max(start, log.startOffset());
                            }

                            @Override
                            public void trimTo(long to) {
                                if (to >= log.endOffset()) {
                                    log.trimTo(to);
                                }
                                start = Math.max(start, to);
                            }
                        }));
    }

    // ---- reads

    private static List<SeededBug> reads() {
        byte[] shared = new byte[4 * PLENTY];
        return List.of(
                ofLogs("batches in the wrong order", "appendedBatchesAreReadableAtOnceByteForByte", reading(bytes -> {
                    List<byte[]> batches = new ArrayList<>();
                    batchesIn(bytes).forEach(batch -> batches.add(0, TestBatches.copyOf(batch)));
                    return batches.stream().reduce(new byte[0], TestBatches::concat);
                })),
                ofLogs(
                        "the last byte of a read is missing",
                        "appendedBatchesAreReadableAtOnceByteForByte",
                        reading(bytes -> Arrays.copyOf(bytes, Math.max(0, bytes.length - 1)))),
                ofLogs(
                        "a flipped bit in what is read",
                        "appendedBatchesAreReadableAtOnceByteForByte",
                        reading(bytes -> {
                            if (bytes.length > 0) {
                                bytes[bytes.length - 1] ^= 1;
                            }
                            return bytes;
                        })),
                ofLogs(
                        "one buffer for all reads",
                        "pinnedRecordsStayReadableUntilTheyAreClosed",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
                                try (Records records = log.read(from, limit, maxBytes, atLeastOne)) {
                                    byte[] bytes = bytesOf(records);
                                    System.arraycopy(bytes, 0, shared, 0, bytes.length);
                                    ByteBuffer buffer = ByteBuffer.wrap(shared, 0, bytes.length);
                                    return new Records.InMemory(List.of(buffer), records.nextOffset(), () -> {});
                                }
                            }
                        }),
                ofLogs(
                        "a read does not look at its limit",
                        "aReadReturnsNoBatchThatReachesTheLimit",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
                                return log.read(from, Long.MAX_VALUE, maxBytes, atLeastOne);
                            }
                        }),
                ofLogs(
                        "a read gives the batch that reaches the limit",
                        "aReadReturnsNoBatchThatReachesTheLimit",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
                                return log.read(from, limit < PLENTY ? limit + 1 : limit, maxBytes, atLeastOne);
                            }
                        }),
                ofLogs(
                        "a read does not look at its size",
                        "aReadReturnsNoMoreThanMaxBytes",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
                                return log.read(from, limit, maxBytes == 0 ? 0 : PLENTY, atLeastOne);
                            }
                        }),
                ofLogs(
                        "a read gives no batch that is too large",
                        "anOversizeFirstBatchIsReturnedOnlyWithAtLeastOne",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
                                return log.read(from, limit, maxBytes, false);
                            }
                        }),
                ofLogs(
                        "a read always gives a batch",
                        "anOversizeFirstBatchIsReturnedOnlyWithAtLeastOne",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
                                return log.read(from, limit, maxBytes, true);
                            }
                        }),
                ofLogs(
                        "a read below the start begins at the start",
                        "aReadAtTheEndIsEmptyAndAReadOutsideIsRefused",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
                                return log.read(Math.max(from, log.startOffset()), limit, maxBytes, atLeastOne);
                            }
                        }),
                ofLogs(
                        "a read skips the batch that it begins in",
                        "aReadInTheMiddleOfABatchBeginsWithThatBatch",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
                                return log.read(
                                        Math.min(log.endOffset(), (from + 9) / 10 * 10), limit, maxBytes, atLeastOne);
                            }
                        }),
                ofLogs(
                        "the next offset is off by one",
                        "aReadReturnsTheNextOffset",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
                                Records records = log.read(from, limit, maxBytes, atLeastOne);
                                List<ByteBuffer> bytes = List.of(ByteBuffer.wrap(bytesOf(records)));
                                return new Records.InMemory(bytes, records.nextOffset() + 1, records::close);
                            }
                        }),
                afterKill(
                        "only what is settled can be read",
                        "appendedBatchesAreReadableAtOnceByteForByte",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public long endOffset() {
                                return log.settledOffset();
                            }
                        }));
    }

    private static UnaryOperator<PartitionLog> reading(Function<byte[], byte[]> mistake) {
        return log -> new DelegatingEngine.Log(log) {
            @Override
            public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
                Records records = log.read(from, limit, maxBytes, atLeastOne);
                List<ByteBuffer> bytes = List.of(ByteBuffer.wrap(mistake.apply(bytesOf(records))));
                return new Records.InMemory(bytes, records.nextOffset(), records::close);
            }
        };
    }

    // ---- appends

    private static List<SeededBug> appends() {
        return List.of(
                ofLogs(
                        "an append below the end is taken",
                        "anAppendBelowTheEndIsRefusedAndChangesNothing",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public void append(RecordBatch batch) {
                                if (batch.baseOffset() >= log.endOffset()) {
                                    log.append(batch);
                                }
                            }
                        }),
                ofLogs(
                        "an append keeps the caller's bytes",
                        "theCallerMayReuseTheBytesAfterAnAppend",
                        log -> new DelegatingEngine.Log(log) {
                            private RecordBatch kept;

                            @Override
                            public void append(RecordBatch batch) {
                                write();
                                if (batch.baseOffset() < log.endOffset()) {
                                    throw new IllegalArgumentException("below the end");
                                }
                                kept = batch;
                            }

                            private void write() {
                                if (kept != null) {
                                    RecordBatch late = kept;
                                    kept = null;
                                    log.append(late);
                                }
                            }

                            @Override
                            public long endOffset() {
                                return kept == null ? log.endOffset() : kept.nextOffset();
                            }

                            @Override
                            public Records read(long from, long limit, int maxBytes, boolean atLeastOne) {
                                write();
                                return log.read(from, limit, maxBytes, atLeastOne);
                            }

                            @Override
                            public void settle() {
                                write();
                                log.settle();
                            }
                        }),
                ofLogs(
                        "every hundredth batch is damaged",
                        "manySmallBatchesAreFoundFromEveryOffset",
                        log -> new DelegatingEngine.Log(log) {
                            private int count;

                            @Override
                            public void append(RecordBatch batch) {
                                byte[] bytes = TestBatches.copyOf(batch);
                                if (++count % 100 == 0) {
                                    bytes[bytes.length - 1] ^= 1;
                                }
                                log.append(new RecordBatch(ByteBuffer.wrap(bytes), 0));
                            }
                        }),
                ofLogs("a gap is closed", "aReadInAGapBeginsWithTheNextBatch", log -> new DelegatingEngine.Log(log) {
                    @Override
                    public void append(RecordBatch batch) {
                        byte[] bytes = TestBatches.copyOf(batch);
                        long base = Math.min(batch.baseOffset(), log.endOffset());
                        if (batch.baseOffset() > log.endOffset()) {
                            ByteBuffer.wrap(bytes).putLong(0, base);
                        }
                        log.append(new RecordBatch(ByteBuffer.wrap(bytes), 0));
                    }
                }));
    }

    // ---- segments

    private static List<SeededBug> segments() {
        return List.of(
                ofLogs("roll does nothing", "rollingSealsTheActiveSegment", log -> new DelegatingEngine.Log(log) {
                    @Override
                    public void roll() {}
                }),
                ofLogs(
                        "the size of segments is not looked at",
                        "aBatchThatWouldMakeTheSegmentTooLargeStartsANewOne",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public void configure(SegmentSizes sizes) {}
                        }),
                ofLogs(
                        "segments do not know their timestamps",
                        "rollingSealsTheActiveSegment",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public List<Segment> segments() {
                                return log.segments().stream()
                                        .map(of -> new Segment(
                                                of.baseOffset(),
                                                of.nextOffset(),
                                                of.sizeInBytes(),
                                                -1,
                                                of.createdAt(),
                                                of.sealed()))
                                        .toList();
                            }
                        }),
                ofLogs(
                        "a search for a timestamp starts too late",
                        "aScanForATimestampNeverStartsTooLate",
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public long scanStartFor(long timestamp) {
                                return Math.min(log.endOffset(), log.scanStartFor(timestamp) + 2);
                            }
                        }));
    }

    // ---- replacements

    private static final Set<EngineTrait> REPLACES = Set.of(EngineTrait.REPLACES_RANGES);

    private static SeededBug ofReplacements(String name, String caughtBy, UnaryOperator<Replacement> mistake) {
        return ofLogs(name, caughtBy, REPLACES, log -> new DelegatingEngine.Log(log) {
            @Override
            public Replacement replace(List<Segment> old) {
                return mistake.apply(log.replace(old));
            }
        });
    }

    private static List<SeededBug> replacements() {
        return List.of(
                ofReplacements(
                        "half a replaced segment",
                        "neighbouringSegmentsBecomeOne",
                        replacement -> new DelegatingEngine.Replacing(replacement) {
                            private int count;

                            @Override
                            public void append(RecordBatch batch) {
                                if (count++ % 2 == 0) {
                                    replacement.append(batch);
                                }
                            }
                        }),
                ofReplacements(
                        "a commit that does nothing",
                        "aSealedSegmentIsReplacedByFewerBatches",
                        replacement -> new DelegatingEngine.Replacing(replacement) {
                            @Override
                            public void commit() {}
                        }),
                ofReplacements(
                        "a replacement without a commit",
                        "aReplacementThatIsNotCommittedChangesNothing",
                        replacement -> new DelegatingEngine.Replacing(replacement) {
                            private boolean isCommitted;

                            @Override
                            public void prepare() {
                                replacement.prepare();
                                replacement.commit();
                                isCommitted = true;
                            }

                            @Override
                            public void commit() {
                                if (!isCommitted) {
                                    replacement.commit();
                                }
                            }
                        }),
                ofLogs(
                        "only the first of several segments is replaced",
                        "neighbouringSegmentsBecomeOne",
                        REPLACES,
                        log -> new DelegatingEngine.Log(log) {
                            @Override
                            public Replacement replace(List<Segment> old) {
                                if (old.size() < 2) {
                                    return log.replace(old);
                                }
                                long end = old.get(0).nextOffset();
                                return new DelegatingEngine.Replacing(log.replace(old.subList(0, 1))) {
                                    @Override
                                    public void append(RecordBatch batch) {
                                        if (batch.baseOffset() < end) {
                                            replacement.append(batch);
                                        }
                                    }
                                };
                            }
                        }));
    }

    // ---- engines

    private static List<SeededBug> engines() {
        return List.of(
                new SeededBug(
                        "a newer lease fences nobody",
                        "aNewerLeaseFencesTheOlderHandle",
                        Set.of(),
                        engine -> new DelegatingEngine(engine) {
                            @Override
                            public PartitionLog open(LogId id, long lease) {
                                return engine.open(id, 1);
                            }
                        }),
                new SeededBug(
                        "delete does nothing",
                        "aDeletedLogIsNotListedAndItsHandlesFail",
                        Set.of(),
                        engine -> new DelegatingEngine(engine) {
                            @Override
                            public void delete(LogId id) {}
                        }),
                new SeededBug(
                        "a topic that is created again has its old log",
                        "aTopicThatIsCreatedAgainHasANewLog",
                        Set.of(),
                        engine -> new DelegatingEngine(engine) {
                            @Override
                            public PartitionLog open(LogId id, long lease) {
                                return engine.open(new LogId(new UUID(1, 1), id.partition(), id.topic()), lease);
                            }
                        }),
                new SeededBug(
                        "a log is listed under another name",
                        "everyLogIsListedWithItsName",
                        Set.of(),
                        engine -> new DelegatingEngine(engine) {
                            @Override
                            public Set<LogId> logs() {
                                Set<LogId> renamed = new HashSet<>();
                                engine.logs()
                                        .forEach(id -> renamed.add(new LogId(id.topicId(), id.partition(), "renamed")));
                                return renamed;
                            }
                        }),
                new SeededBug(
                        "what is set aside is deleted",
                        "aLogThatIsSetAsideIsListedAndKeepsItsContents",
                        Set.of(),
                        engine -> new DelegatingEngine(engine) {
                            @Override
                            public void setAside(LogId id) {
                                engine.delete(id);
                            }
                        }),
                new SeededBug(
                        "the data of another cluster is taken",
                        "anEngineWithTheDataOfAnotherClusterRefusesAndChangesNothing",
                        Set.of(EngineTrait.SURVIVES_KILL),
                        engine -> new DelegatingEngine(engine) {
                            @Override
                            public void belongTo(String clusterId) {}
                        }));
    }
}
