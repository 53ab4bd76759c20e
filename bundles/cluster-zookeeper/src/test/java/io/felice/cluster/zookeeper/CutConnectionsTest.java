package io.felice.cluster.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.config.ConfigResource;
import io.felice.testkit.RecordingCandidate;
import io.felice.testkit.RecordingFollower;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The metadata log over connections that break at random: the writer loses and doubles no change, and readers see every
 * change.
 */
class CutConnectionsTest {
    private static final int SESSION_MS = 5_000;
    private static final int SHORT_SESSION_MS = 800;
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final ConfigResource ALL = ConfigResource.allBrokers();
    private static final int KEYS = 200;
    private static final int MOST_AT_ONCE = 20;
    private static final int FEWEST_CUTS = 8;

    @TempDir
    Path directory;

    private record Append(int number, CompletableFuture<Long> done) {}

    @Test
    void nothingAcknowledgedIsLostNothingIsDoubledAndAllSeeTheSame() throws Exception {
        nothingIsLostOrDoubled(SESSION_MS, Extent.of(20_000, 100_000), Extent.of(500_000, 1_500_000));
    }

    @Test
    void theSameHoldsWhenSessionsEndWithTheirConnections() throws Exception {
        int terms = nothingIsLostOrDoubled(SHORT_SESSION_MS, Extent.of(4_000, 20_000), Extent.of(80_000, 400_000));

        assertThat(terms).isGreaterThan(1);
    }

    private int nothingIsLostOrDoubled(int sessionMs, int changes, int cutAfterBytes) throws Exception {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        System.out.println("seed " + seed + " (repeat with -Dfelice.seed=" + seed + ")");
        Random random = new Random(seed);
        try (TestEnsemble ensemble = new TestEnsemble(directory);
                CuttingProxy proxy = proxy(ensemble, random.nextLong(), cutAfterBytes)) {
            ZooKeeperStore writer = ensemble.store(proxy.connectString(), sessionMs, "writer");
            RecordingFollower one = new RecordingFollower();
            RecordingFollower two = new RecordingFollower();
            RecordingFollower steady = new RecordingFollower();
            ensemble.store(proxy.connectString(), sessionMs, "one").follow(one);
            ensemble.store(proxy.connectString(), sessionMs, "two").follow(two);
            ensemble.store(SESSION_MS).follow(steady);
            RecordingCandidate candidate = new RecordingCandidate();
            writer.campaign(candidate);
            long started = System.nanoTime();

            Map<Integer, Long> acknowledged = new HashMap<>();
            Set<Integer> unknown = new HashSet<>();
            Deque<Append> open = new ArrayDeque<>();
            int next = 0;
            while (next < changes || !open.isEmpty()) {
                for (int burst = open.isEmpty() ? 1 + random.nextInt(MOST_AT_ONCE) : 0;
                        burst > 0 && next < changes;
                        burst--) {
                    open.add(append(term(candidate), next++));
                }
                Append oldest = open.poll();
                try {
                    acknowledged.put(oldest.number(), oldest.done().get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
                } catch (ExecutionException failure) {
                    if (FeliceException.codeOf(failure) == ErrorCode.NOT_CONTROLLER) {
                        // The change is certainly not in the log, so it may be written again.
                        open.addFirst(append(term(candidate), oldest.number()));
                    } else {
                        assertThat(FeliceException.codeOf(failure)).isEqualTo(ErrorCode.REQUEST_TIMED_OUT);
                        unknown.add(oldest.number());
                    }
                }
            }
            double seconds = (System.nanoTime() - started) / 1e9;
            proxy.calm();
            long last = acknowledged.values().stream().mapToLong(v -> v).max().orElseThrow();
            for (RecordingFollower follower : List.of(one, two, steady)) {
                await().atMost(PATIENCE).until(() -> follower.view().version() >= last);
                assertThat(follower.complaints()).as("seed %s", seed).isEmpty();
            }
            await().atMost(PATIENCE)
                    .until(() -> one.view().version() == steady.view().version()
                            && two.view().version() == steady.view().version());
            System.out.printf(
                    "%d changes in %d batches in %.1f s (%.0f changes/s), %d cuts, %d read-backs, %d terms, %d unknown,"
                            + " resets %d %d%n",
                    changes,
                    last,
                    seconds,
                    changes / seconds,
                    proxy.cuts(),
                    (Long) writer.tables().get(0).cell("zookeeper", "readbacks").orElseThrow(),
                    candidate.epochs().size(),
                    unknown.size(),
                    one.resets(),
                    two.resets());

            assertThat(one.changes()).as("seed %s", seed).isEqualTo(steady.changes());
            assertThat(two.changes()).as("seed %s", seed).isEqualTo(steady.changes());
            assertThat(steady.changes().keySet()).as("seed %s", seed).hasSize((int)
                    steady.view().version());
            assertEachIsThereOnce(steady, acknowledged, unknown, seed);
            assertThat(proxy.cuts()).isGreaterThanOrEqualTo(FEWEST_CUTS);
            return candidate.epochs().size();
        }
    }

    private static void assertEachIsThereOnce(
            RecordingFollower follower, Map<Integer, Long> acknowledged, Set<Integer> unknown, long seed) {
        Map<Integer, Long> found = new HashMap<>();
        List<Integer> doubled = new ArrayList<>();
        follower.changes()
                .forEach((version, records) -> records.forEach(record -> {
                    int number = Integer.parseInt(((MetadataRecord.ConfigSet) record).value());
                    if (found.put(number, version) != null) {
                        doubled.add(number);
                    }
                }));
        assertThat(doubled).as("seed %s", seed).isEmpty();
        unknown.forEach(found::remove);
        assertThat(found).as("seed %s", seed).isEqualTo(acknowledged);
    }

    private static Append append(Term term, int number) {
        MetadataRecord record = new MetadataRecord.ConfigSet(ALL, "key-" + number % KEYS, Integer.toString(number));
        return new Append(number, term.append(List.of(record)).toCompletableFuture());
    }

    private static Term term(RecordingCandidate candidate) {
        Term term = candidate.term();
        while (term == null) {
            await().atMost(PATIENCE).until(() -> candidate.term() != null);
            term = candidate.term();
        }
        return term;
    }

    private static CuttingProxy proxy(TestEnsemble ensemble, long seed, int mostBytes) throws Exception {
        String connect = ensemble.connectString();
        return new CuttingProxy(Integer.parseInt(connect.substring(connect.lastIndexOf(':') + 1)), seed, mostBytes);
    }
}
