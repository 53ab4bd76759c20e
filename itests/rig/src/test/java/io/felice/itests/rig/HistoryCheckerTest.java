package io.felice.itests.rig;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.HistoryChecker.Cleanup;
import io.felice.itests.rig.HistoryChecker.Kind;
import io.felice.itests.rig.HistoryChecker.Message;
import io.felice.itests.rig.HistoryChecker.Sighting;
import io.felice.itests.rig.HistoryChecker.Totals;
import io.felice.itests.rig.HistoryChecker.Violation;
import io.felice.itests.rig.HistoryChecker.Writer;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The checker finds each kind of violation, and takes nothing for one that a broker may do. */
class HistoryCheckerTest {
    private static final Writer IDEMPOTENT = new Writer("i", true);
    private static final Writer PLAIN = new Writer("p", false);
    private static final TopicPartition KEPT = new TopicPartition("kept", 0);
    private static final TopicPartition RETAINED = new TopicPartition("retained", 0);
    private static final TopicPartition COMPACTED = new TopicPartition("compacted", 0);
    private static final TopicPartition BOTH = new TopicPartition("both", 0);
    private static final long LEAST_KEPT = 2;

    private final HistoryChecker checker = new HistoryChecker(Map.of(
            KEPT.topic(),
            Cleanup.NONE,
            RETAINED.topic(),
            Cleanup.delete(LEAST_KEPT),
            COMPACTED.topic(),
            Cleanup.COMPACT,
            BOTH.topic(),
            Cleanup.compactAndDelete(LEAST_KEPT)));

    private final List<Message> messages = IntStream.range(0, 6)
            .mapToObj(number -> message(number, "k" + number))
            .toList();

    @Test
    void aWholeHistoryHasNoViolation() {
        acknowledged(KEPT, messages);
        messages.forEach(message -> checker.read(KEPT, seen(message.number(), message)));

        scanned(KEPT, 0, 0, 6, inOrder(messages));
        checker.readToTheEnd(KEPT);

        assertThat(checker.violations()).isEmpty();
        assertThat(checker.totals(KEPT)).isEqualTo(new Totals(6, 6, 6, 0));
    }

    @Nested
    class Lost {
        @Test
        void isAnAcknowledgedRecordThatIsNotThere() {
            acknowledged(KEPT, messages);

            scanned(KEPT, 0, 0, 6, without(inOrder(messages), 3));

            assertFound(Kind.LOST, "i/3 (key k3) is not at offset 3 of kept-0");
        }

        @Test
        void isARecordThatAConsumerHasRead() {
            acknowledged(KEPT, messages.subList(0, 5));
            checker.sending(KEPT, messages.get(5));
            checker.read(KEPT, seen(5, messages.get(5)));

            scanned(KEPT, 0, 0, 6, inOrder(messages.subList(0, 5)));

            assertFound(Kind.LOST, "i/5 (key k5) is not at offset 5 of kept-0");
        }

        @Test
        void isNotARecordThatWasNeverAcknowledgedOrRead() {
            acknowledged(KEPT, messages.subList(0, 5));
            checker.sending(KEPT, messages.get(5));

            scanned(KEPT, 0, 0, 5, inOrder(messages.subList(0, 5)));

            assertThat(checker.violations()).isEmpty();
        }

        @Test
        void isWhatTheLogEndsBefore() {
            acknowledged(KEPT, messages);

            scanned(KEPT, 0, 0, 5, inOrder(messages.subList(0, 5)));

            assertFound(Kind.WENT_BACK, Kind.LOST);
        }

        @Test
        void isARecordWithAnotherInItsPlace() {
            acknowledged(KEPT, messages.subList(0, 5));
            checker.sending(KEPT, messages.get(5));

            scanned(KEPT, 0, 0, 5, replaced(inOrder(messages.subList(0, 5)), 4, messages.get(5)));

            assertFound(Kind.LOST, "i/4 (key k4) was at offset 4 of kept-0, where i/5 (key k5) is");
        }

        @Test
        void isARecordBeforeTheLogStartOfATopicWithoutRetention() {
            acknowledged(KEPT, messages);

            scanned(KEPT, 0, 1, 6, without(inOrder(messages), 0));

            assertFound(Kind.LOST, "i/0 (key k0) is not at offset 0 of kept-0");
        }

        @Test
        void isNotARecordThatRetentionMayRemove() {
            acknowledged(RETAINED, messages);

            scanned(RETAINED, 0, 4, 6, inOrder(messages).subList(4, 6));

            assertThat(checker.violations()).isEmpty();
            assertThat(checker.totals(RETAINED).removed()).isEqualTo(4);
        }

        @Test
        void isARecordBehindTheLogStartOfATopicWithRetention() {
            acknowledged(RETAINED, messages);

            scanned(RETAINED, 0, 2, 6, inOrder(messages).subList(3, 6));

            assertFound(Kind.LOST, "i/2 (key k2) is not at offset 2 of retained-0");
        }

        @Test
        void isWhatRetentionMustKeep() {
            acknowledged(RETAINED, messages);

            scanned(RETAINED, 0, 5, 6, inOrder(messages).subList(5, 6));

            assertFound(Kind.LOST, "retained-0 begins at 5 and ends at 6: retention went too far");
        }

        @Test
        void isARecordWithoutAKnownOffset() {
            acknowledged(KEPT, messages.subList(0, 5));
            checker.sending(KEPT, messages.get(5));
            checker.acknowledged(KEPT, messages.get(5), -1);

            scanned(KEPT, 0, 0, 5, inOrder(messages.subList(0, 5)));

            assertFound(Kind.LOST, "i/5 (key k5) is not behind offset 4 of kept-0");
        }

        @Test
        void isNotARecordWithoutAKnownOffsetThatRetentionMayHaveRemoved() {
            checker.sending(RETAINED, messages.get(0));
            checker.acknowledged(RETAINED, messages.get(0), -1);
            acknowledged(RETAINED, 1, messages.subList(1, 6));

            scanned(RETAINED, 0, 4, 6, inOrder(messages).subList(4, 6));

            assertThat(checker.violations()).isEmpty();
        }

        @Test
        void isARecordThatItsGroupNeverRead() {
            acknowledged(KEPT, messages);
            messages.subList(1, 6).forEach(message -> checker.read(KEPT, seen(message.number(), message)));

            checker.readToTheEnd(KEPT);

            assertFound(Kind.LOST, "i/0 (key k0) at offset 0 of kept-0 was never read");
        }

        @Test
        void isNotWhatWasBeforeTheBeginningOfAScan() {
            acknowledged(KEPT, messages);

            scanned(KEPT, 4, 0, 6, inOrder(messages).subList(4, 6));

            assertThat(checker.violations()).isEmpty();
        }
    }

    @Nested
    class Doubled {
        @Test
        void isARecordOfAnIdempotentProducerAtTwoOffsets() {
            acknowledged(KEPT, messages);

            scanned(KEPT, 0, 0, 7, and(inOrder(messages), seen(6, messages.get(5))));

            assertFound(Kind.DOUBLED, "i/5 (key k5) is at offsets 5 and 6 of kept-0");
        }

        @Test
        void isARecordThatAConsumerReadElsewhere() {
            checker.sending(KEPT, messages.get(0));
            checker.read(KEPT, seen(0, messages.get(0)));

            checker.acknowledged(KEPT, messages.get(0), 1);

            assertFound(Kind.DOUBLED, "i/0 (key k0) is at offsets 0 and 1 of kept-0");
        }

        @Test
        void isNotARepeatedRecordOfAnotherProducer() {
            Message message = new Message(PLAIN, 0, "k", "v");
            checker.sending(KEPT, message);
            checker.acknowledged(KEPT, message, 1);

            scanned(KEPT, 0, 0, 2, List.of(seen(0, message), seen(1, message)));

            assertThat(checker.violations()).isEmpty();
        }
    }

    @Nested
    class Reordered {
        @Test
        void areRecordsOfAProducerInAnotherOrder() {
            messages.forEach(message -> checker.sending(KEPT, message));

            scanned(KEPT, 0, 0, 2, List.of(seen(0, messages.get(1)), seen(1, messages.get(0))));

            assertFound(Kind.REORDERED, "i/0 (key k0) follows i/1 (key k1) in kept-0");
        }

        @Test
        void areAcknowledgedRecordsOfAProducerThatIsNotIdempotent() {
            acknowledged(KEPT, List.of(plain(1), plain(0)));

            scanned(KEPT, 0, 0, 2, List.of(seen(0, plain(1)), seen(1, plain(0))));

            assertFound(Kind.REORDERED, "p/0 (key k) follows p/1 (key k) in kept-0");
        }

        @Test
        void areNotRepetitionsOfAProducerThatIsNotIdempotent() {
            acknowledged(KEPT, List.of(plain(0), plain(1)));

            scanned(KEPT, 0, 0, 3, List.of(seen(0, plain(0)), seen(1, plain(1)), seen(2, plain(0))));

            assertThat(checker.violations()).isEmpty();
        }

        @Test
        void areOffsetsThatFall() {
            acknowledged(KEPT, messages);

            scanned(KEPT, 0, 0, 6, and(inOrder(messages), seen(2, messages.get(2))));

            assertThat(checker.violations()).contains(new Violation(Kind.REORDERED, "offset 2 of kept-0 follows 5"));
        }

        @Test
        void areNotRecordsOfTwoProducers() {
            acknowledged(KEPT, List.of(messages.get(0), plain(0), messages.get(1), plain(1)));

            scanned(
                    KEPT,
                    0,
                    0,
                    4,
                    List.of(seen(0, messages.get(0)), seen(1, plain(0)), seen(2, messages.get(1)), seen(3, plain(1))));

            assertThat(checker.violations()).isEmpty();
        }
    }

    @Nested
    class Phantom {
        @Test
        void isARecordThatNobodySent() {
            scanned(KEPT, 0, 0, 1, List.of(seen(0, messages.get(0))));

            assertFound(Kind.PHANTOM);
        }

        @Test
        void isARecordOfAnotherPartition() {
            acknowledged(RETAINED, messages);

            checker.read(KEPT, seen(0, messages.get(0)));

            assertFound(Kind.PHANTOM);
        }

        @Test
        void isARecordWithAnotherValueOrKey() {
            messages.forEach(message -> checker.sending(KEPT, message));

            scanned(KEPT, 0, 0, 2, List.of(new Sighting(0, "i/0", "k0", "other"), new Sighting(1, "i/1", "k", "v1")));

            assertFound(Kind.PHANTOM, Kind.PHANTOM);
        }
    }

    @Nested
    class WentBack {
        @Test
        void isACommittedOffset() {
            String committed = HistoryChecker.committedBy("g", KEPT);
            checker.reached(committed, 7);
            long floor = checker.floor(committed);
            checker.reached(committed, 8);

            checker.answered(committed, floor, 7);
            assertThat(checker.violations()).isEmpty();

            checker.answered(committed, floor, 6);
            assertFound(Kind.WENT_BACK, "the offset of group g for kept-0 is 6 and was 7");
        }

        @Test
        void isALogEndOffset() {
            scanned(KEPT, 0, 0, 0, List.of());
            acknowledged(KEPT, messages);
            String end = HistoryChecker.endOf(KEPT);

            checker.answered(end, checker.floor(end), 5);

            assertFound(Kind.WENT_BACK, "the log end offset of kept-0 is 5 and was 6");
        }

        @Test
        void isALogStartOffset() {
            acknowledged(RETAINED, messages);
            scanned(RETAINED, 0, 4, 6, inOrder(messages).subList(4, 6));

            scanned(RETAINED, 0, 3, 6, inOrder(messages).subList(3, 6));

            assertFound(Kind.WENT_BACK, "the log start offset of retained-0 is 3 and was 4");
        }
    }

    @Nested
    class LatestLacking {
        private final Message first = message(0, "k");
        private final Message second = message(1, "k");
        private final Message tombstone = new Message(IDEMPOTENT, 2, "k", null);
        private final Message another = message(3, "other");

        @Test
        void isTheLatestRecordOfAKeyThatIsNotThere() {
            acknowledged(COMPACTED, List.of(first, second));

            scanned(COMPACTED, 0, 0, 2, List.of());

            assertFound(
                    Kind.LATEST_LACKING,
                    "i/1 (key k) is not at offset 1 of compacted-0; the latest of its key is nowhere");
        }

        @Test
        void isTheLatestRecordOfAKeyWithAnOlderOneInItsPlace() {
            acknowledged(COMPACTED, List.of(first, second));

            scanned(COMPACTED, 0, 0, 2, List.of(seen(0, first)));

            assertFound(
                    Kind.LATEST_LACKING,
                    "i/1 (key k) is not at offset 1 of compacted-0; the latest of its key is i/0 (key k) at offset 0");
        }

        @Test
        void isATombstoneWhoseOlderRecordIsThere() {
            acknowledged(COMPACTED, List.of(first, second, tombstone));

            scanned(COMPACTED, 0, 0, 3, List.of(seen(1, second)));

            assertFound(Kind.LATEST_LACKING);
        }

        @Test
        void isARecordWithoutAKnownOffset() {
            acknowledged(COMPACTED, List.of(first));
            checker.sending(COMPACTED, second);
            checker.acknowledged(COMPACTED, second, -1);

            scanned(COMPACTED, 0, 0, 2, List.of(seen(0, first)));

            assertFound(Kind.LATEST_LACKING, "i/1 (key k) is not behind offset 0 of compacted-0");
        }

        @Test
        void isNotAnOlderRecordOrATombstone() {
            acknowledged(COMPACTED, List.of(first, second, tombstone, another));

            scanned(COMPACTED, 0, 0, 4, List.of(seen(2, tombstone), seen(3, another)));
            scanned(COMPACTED, 0, 0, 4, List.of(seen(3, another)));

            assertThat(checker.violations()).isEmpty();
            assertThat(checker.totals(COMPACTED).removed()).isEqualTo(3);
        }

        @Test
        void isNotARecordThatRetentionMayRemove() {
            acknowledged(BOTH, List.of(first, second, tombstone, another));

            scanned(BOTH, 0, 2, 4, List.of(seen(3, another)));

            assertThat(checker.violations()).isEmpty();
        }

        @Test
        void isNotARecordThatRetentionRemovesWhileTheOlderOneIsRead() {
            acknowledged(BOTH, List.of(first, second, another, message(4, "last")));

            scanned(BOTH, 0, 2, 4, List.of(seen(0, first), seen(2, another), seen(3, message(4, "last"))));

            assertThat(checker.violations()).isEmpty();
        }
    }

    private static Message message(int number, String key) {
        return new Message(IDEMPOTENT, number, key, "v" + number);
    }

    private static Message plain(int number) {
        return new Message(PLAIN, number, "k", "v" + number);
    }

    private static Sighting seen(long offset, Message message) {
        return new Sighting(offset, message.id(), message.key(), message.value());
    }

    private static List<Sighting> inOrder(List<Message> messages) {
        return IntStream.range(0, messages.size())
                .mapToObj(offset -> seen(offset, messages.get(offset)))
                .toList();
    }

    private static List<Sighting> without(List<Sighting> sightings, long offset) {
        return sightings.stream()
                .filter(sighting -> sighting.offset() != offset)
                .toList();
    }

    private static List<Sighting> replaced(List<Sighting> sightings, long offset, Message message) {
        return sightings.stream()
                .map(sighting -> sighting.offset() == offset ? seen(offset, message) : sighting)
                .toList();
    }

    private static List<Sighting> and(List<Sighting> sightings, Sighting another) {
        return Stream.concat(sightings.stream(), Stream.of(another)).toList();
    }

    private void acknowledged(TopicPartition partition, List<Message> atTheirIndex) {
        acknowledged(partition, 0, atTheirIndex);
    }

    private void acknowledged(TopicPartition partition, long first, List<Message> messages) {
        for (int i = 0; i < messages.size(); i++) {
            checker.sending(partition, messages.get(i));
            checker.acknowledged(partition, messages.get(i), first + i);
        }
    }

    private void scanned(TopicPartition partition, long from, long start, long end, List<Sighting> sightings) {
        checker.scanned(partition, from, start, end, sightings);
    }

    private void assertFound(Kind kind, String text) {
        assertThat(checker.violations()).containsExactly(new Violation(kind, text));
    }

    private void assertFound(Kind... kinds) {
        assertThat(checker.violations()).extracting(Violation::kind).containsExactly(kinds);
    }
}
