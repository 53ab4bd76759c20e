package io.felice.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.cluster.ClusterStore.Term;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.MetadataRecord.TopicCreated;
import io.felice.api.cluster.MetadataRecord.TopicDeleted;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class SnapshotsTest {
    private static final int MOST_CHANGES = 10_000;

    private final RecordedTerm term = new RecordedTerm();
    private final Reign reign = new Reign(term);
    private final InlineThread thread = new InlineThread();
    private final Snapshots snapshots = new Snapshots(MOST_CHANGES, 1L << 30);
    private ClusterView view = ClusterView.EMPTY;

    @Test
    void aLogThatIsLongerThanTheStateGetsASnapshot() {
        for (int topic = 0; topic < 1_000; topic++) {
            change(new TopicCreated(id(topic), "t" + topic));
            change(new TopicDeleted(id(topic)));
        }

        assertThat(term.versions).containsExactly(500L, 1_000L, 1_500L, 2_000L);
    }

    @Test
    void aLargeStateIsNotWrittenAgainForFewChanges() {
        for (int topic = 0; topic < 4_000; topic++) {
            change(new TopicCreated(id(topic), "t" + topic));
        }

        assertThat(term.versions).containsExactly(500L, 1_000L, 2_000L, 4_000L);
    }

    @Test
    void aStateThatWasReadFromASnapshotCounts() {
        snapshots.reset(800);

        for (int topic = 0; topic < 900; topic++) {
            change(new TopicDeleted(id(topic)));
        }

        assertThat(term.versions).containsExactly(800L);
    }

    @Test
    void theLimitOfChangesHoldsForEveryState() {
        snapshots.reset(10 * MOST_CHANGES);

        for (int topic = 0; topic < MOST_CHANGES; topic++) {
            change(new TopicDeleted(id(topic)));
        }

        assertThat(term.versions).containsExactly((long) MOST_CHANGES);
    }

    private void change(MetadataRecord record) {
        view = view.after(view.version() + 1, List.of(record));
        snapshots.changed(List.of(record));
        snapshots.takeIfDue(reign, view, thread, Duration.ofSeconds(1));
    }

    private static UUID id(int topic) {
        return new UUID(1, topic);
    }

    /** Stores snapshots at once, and remembers their versions. */
    private static final class RecordedTerm implements Term {
        private final List<Long> versions = new ArrayList<>();

        @Override
        public int epoch() {
            return 1;
        }

        @Override
        public long logLength() {
            return 0;
        }

        @Override
        public CompletionStage<Long> append(List<MetadataRecord> records) {
            throw new AssertionError("a snapshot changes nothing");
        }

        @Override
        public CompletionStage<Void> snapshot(long version, List<MetadataRecord> state) {
            versions.add(version);
            return CompletableFuture.completedFuture(null);
        }
    }
}
