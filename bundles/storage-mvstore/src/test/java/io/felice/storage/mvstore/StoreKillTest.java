package io.felice.storage.mvstore;

import static io.felice.testkit.TestBatches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.FeliceException;
import io.felice.api.RecordBatch;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.Records;
import io.felice.api.storage.Replacement;
import io.felice.api.storage.Segment;
import io.felice.testkit.LogContents;
import io.felice.testkit.TestBatches;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that appends to many logs is killed with SIGKILL again and again, and restarted in order again and again. What
 * it said to be settled is there each time, with the bytes that it had.
 */
class StoreKillTest {
    private static final int KILLS = Integer.getInteger("felice.kills", 10);
    private static final int RESTARTS = Integer.getInteger("felice.restarts", 20);
    private static final int LOGS = 12;
    /** A process that is killed has said so much before, however slow the machine is. */
    private static final int LINES_OF_A_LIFE = 40;

    private static final StoreSettings SETTINGS = new StoreSettings(2, 2 << 20, 50_000, 8 << 20, 2 << 20, 1);

    @TempDir
    Path temp;

    @Test
    void nothingSettledIsLostByKills() throws Exception {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        System.out.println("StoreKillTest: -Dfelice.seed=" + seed);
        Random random = new Random(seed);
        Path directory = temp.resolve("store");
        Map<Integer, Long> settled = new HashMap<>();
        Map<Integer, Long> starts = new HashMap<>();
        for (int kill = 0; kill < KILLS; kill++) {
            Path said = temp.resolve("said-" + kill);
            Process victim = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx128m",
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Victim.class.getName(),
                            directory.toString(),
                            Long.toString(random.nextLong()))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .redirectOutput(said.toFile())
                    .start();
            await().atMost(Duration.ofSeconds(120))
                    .until(() -> !victim.isAlive() || Files.readAllLines(said).size() > LINES_OF_A_LIFE);
            Thread.sleep(100 + random.nextInt(600));
            assertThat(victim.isAlive()).isTrue();
            victim.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
            Files.readAllLines(said).forEach(line -> note(line, settled, starts));
            assertAllThere(directory, settled, starts, "kill " + kill);
        }
        assertThat(settled.values().stream().mapToLong(Long::longValue).sum()).isGreaterThan(1_000);
    }

    /** A line says what a log has settled, or where it starts. The last line may be cut off. */
    private static void note(String line, Map<Integer, Long> settled, Map<Integer, Long> starts) {
        String[] words = line.split(" ");
        if (words.length == 4 && words[3].equals(".")) {
            Map<Integer, Long> known = words[0].equals("settled") ? settled : starts;
            known.merge(Integer.parseInt(words[1]), Long.parseLong(words[2]), Math::max);
        }
    }

    private static void assertAllThere(
            Path directory, Map<Integer, Long> settled, Map<Integer, Long> starts, String when) {
        try (MvStorageEngine engine = new MvStorageEngine(directory, SETTINGS)) {
            for (int i = 0; i < LOGS; i++) {
                PartitionLog log = engine.open(Victim.id(i), 1_000_000);
                assertThat(log.endOffset()).as(when).isGreaterThanOrEqualTo(settled.getOrDefault(i, 0L));
                assertThat(log.startOffset()).as(when).isGreaterThanOrEqualTo(starts.getOrDefault(i, 0L));
                mustBeWhole(i, log, when);
            }
        }
    }

    private static void mustBeWhole(int number, PartitionLog log, String when) {
        long next = log.startOffset();
        while (next < log.endOffset()) {
            try (Records records = log.read(next, Long.MAX_VALUE, 1 << 20, true)) {
                List<RecordBatch> batches = LogContents.batchesIn(LogContents.bytesOf(records));
                assertThat(batches).as(when).isNotEmpty();
                for (RecordBatch one : batches) {
                    assertThat(TestBatches.copyOf(one)).as(when).isEqualTo(Victim.bytesOf(number, one.baseOffset()));
                    boolean follows = one.baseOffset() <= next || Victim.isCompacted(number);
                    assertThat(follows).as(when + ": " + one + " at " + next).isTrue();
                    next = one.nextOffset();
                }
            }
        }
    }

    @Test
    void nothingIsLostByRestartsUnderLoad() throws Exception {
        Path directory = temp.resolve("restarts");
        long[] ends = new long[LOGS];
        for (int restart = 0; restart < RESTARTS; restart++) {
            MvStorageEngine engine = new MvStorageEngine(directory, SETTINGS);
            List<PartitionLog> logs = new ArrayList<>();
            for (int i = 0; i < LOGS; i++) {
                logs.add(engine.open(Victim.id(i), restart));
                assertThat(logs.get(i).endOffset()).isGreaterThanOrEqualTo(ends[i]);
                mustBeWhole(i, logs.get(i), "restart " + restart);
            }
            AtomicBoolean done = new AtomicBoolean();
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                int first = t;
                threads.add(new Thread(() -> {
                    Random random = new Random(first);
                    while (!done.get()) {
                        for (int i = first; i < LOGS; i += 4) {
                            try {
                                ends[i] = Victim.step(i, logs.get(i), random);
                            } catch (FeliceException stopped) {
                                return;
                            }
                        }
                    }
                }));
            }
            threads.forEach(Thread::start);
            Thread.sleep(150);
            if (restart % 2 == 0) {
                done.set(true);
                for (Thread thread : threads) {
                    thread.join();
                }
            }
            engine.close();
            done.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }

    /** The process that is killed. */
    static final class Victim {
        private Victim() {}

        static LogId id(int number) {
            return new LogId(new UUID(5, 5), number, "victim");
        }

        /** Compacted logs have holes. */
        static boolean isCompacted(int number) {
            return number % 4 == 0;
        }

        static byte[] bytesOf(int number, long base) {
            int size = (int) ((base * 7_919 + number * 31L) % 3_000);
            return TestBatches.copyOf(batch(3).values(("log " + number + " offset " + base + " ").repeat(1 + size / 30))
                    .at(base));
        }

        /** Appends, and now and then trims, rolls or compacts; the offset that is settled. */
        static long step(int number, PartitionLog log, Random random) {
            for (int i = 1 + random.nextInt(5); i > 0; i--) {
                log.append(new RecordBatch(ByteBuffer.wrap(bytesOf(number, log.endOffset())), 0));
            }
            long end = log.endOffset();
            join(log.settle(end));
            int dice = random.nextInt(100);
            if (dice < 10) {
                log.roll();
            } else if (dice < 13) {
                log.trimTo(log.startOffset() + (end - log.startOffset()) / 2);
            } else if (dice < 20 && isCompacted(number)) {
                compact(log);
            } else if (dice < 22) {
                join(log.flush(end));
            }
            return end;
        }

        private static void join(CompletionStage<Void> stage) {
            try {
                stage.toCompletableFuture().join();
            } catch (CompletionException failure) {
                throw FeliceException.unwrap(failure) instanceof FeliceException expected ? expected : failure;
            }
        }

        private static void compact(PartitionLog log) {
            List<Segment> sealed =
                    log.segments().stream().filter(Segment::sealed).toList();
            if (sealed.size() < 3) {
                return;
            }
            List<Segment> old = sealed.subList(0, 3);
            long from = Math.max(log.startOffset(), old.get(0).baseOffset());
            long to = old.get(2).nextOffset();
            try (Replacement replacement = log.replace(old)) {
                for (long next = from; next < to; ) {
                    long before = next;
                    try (Records records = log.read(next, to, 100_000, true)) {
                        for (RecordBatch one : LogContents.batchesIn(LogContents.bytesOf(records))) {
                            if (one.baseOffset() % 2 == 0) {
                                replacement.append(one);
                            }
                            next = one.nextOffset();
                        }
                    }
                    if (next == before) {
                        break;
                    }
                }
                replacement.prepare();
                replacement.commit();
            }
        }

        public static void main(String[] arguments) throws IOException {
            Random seeds = new Random(Long.parseLong(arguments[1]));
            PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
            MvStorageEngine engine = new MvStorageEngine(Path.of(arguments[0]), SETTINGS);
            List<PartitionLog> logs = new ArrayList<>();
            for (int i = 0; i < LOGS; i++) {
                logs.add(engine.open(id(i), 1));
            }
            out.println("begun");
            for (int t = 0; t < 4; t++) {
                int first = t;
                Random random = new Random(seeds.nextLong());
                new Thread(() -> {
                            while (true) {
                                for (int i = first; i < LOGS; i += 4) {
                                    long start = logs.get(i).startOffset();
                                    long end = step(i, logs.get(i), random);
                                    out.println("start " + i + " " + start + " .");
                                    out.println("settled " + i + " " + end + " .");
                                }
                            }
                        })
                        .start();
            }
        }
    }
}
