package io.felice.cli;

import java.time.Clock;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * A place in a partition as it is typed:
 *
 * <pre>
 * start           the first record
 * end             behind the last record
 * 42              the offset 42
 * -10             10 records before the end
 * {@literal @}-1h            an hour ago
 * {@literal @}2026-01-31     the beginning of that day, UTC; also @2026-01-31T12:00:00Z
 * {@literal @}1770000000000  milliseconds since 1970
 * </pre>
 */
record OffsetWord(Kind kind, long number) {
    enum Kind {
        START,
        END,
        OFFSET,
        BEFORE_END,
        TIME
    }

    static final String GRAMMAR = "start, end, an offset, -N records before the end, or @TIME: @-1h, @2026-01-31, or"
            + " @2026-01-31T12:00:00Z";

    /** A range {@code FROM:TO}, of which each side may be missing. */
    record Range(OffsetWord from, OffsetWord to) {
        /** @param to null without an end */
        static Range parse(String text, Clock clock) {
            int colon = colon(text);
            String first = colon < 0 ? text : text.substring(0, colon);
            String last = colon < 0 ? "" : text.substring(colon + 1);
            return new Range(
                    first.isEmpty() ? new OffsetWord(Kind.START, 0) : OffsetWord.parse(first, clock),
                    last.isEmpty() ? null : OffsetWord.parse(last, clock));
        }

        /** A time of day has colons too: the colon of a range is followed by a word or by nothing. */
        private static int colon(String text) {
            for (int i = text.indexOf(':'); i >= 0; i = text.indexOf(':', i + 1)) {
                boolean isTime = text.startsWith("@")
                        && i > 1
                        && text.substring(0, i).matches(".*T\\d\\d(:\\d\\d)?")
                        && text.substring(i + 1).matches("\\d\\d.*");
                boolean isLaterTime = text.lastIndexOf('@', i) > 0;
                if (!isTime && !isLaterTime) {
                    return i;
                }
            }
            return -1;
        }
    }

    /** @throws CliFailure if the text is none of these */
    static OffsetWord parse(String text, Clock clock) {
        if (text.equals("start") || text.equals("beginning") || text.equals("earliest")) {
            return new OffsetWord(Kind.START, 0);
        } else if (text.equals("end") || text.equals("latest")) {
            return new OffsetWord(Kind.END, 0);
        } else if (text.matches("\\d{1,18}")) {
            return new OffsetWord(Kind.OFFSET, Long.parseLong(text));
        } else if (text.matches("-\\d{1,18}")) {
            return new OffsetWord(Kind.BEFORE_END, Long.parseLong(text.substring(1)));
        } else if (text.startsWith("@")) {
            return new OffsetWord(Kind.TIME, time(text.substring(1), clock));
        }
        throw unreadable(text);
    }

    private static long time(String text, Clock clock) {
        try {
            if (text.startsWith("-")) {
                return clock.millis() - HumanUnits.duration(text.substring(1)).toMillis();
            } else if (text.matches("\\d{5,18}")) {
                return Long.parseLong(text);
            } else if (text.length() == 10) {
                return LocalDate.parse(text)
                        .atStartOfDay(ZoneOffset.UTC)
                        .toInstant()
                        .toEpochMilli();
            }
            return instant(text).toEpochMilli();
        } catch (DateTimeException unknown) {
            throw unreadable("@" + text);
        }
    }

    private static Instant instant(String text) {
        return text.matches(".*(Z|[+-]\\d\\d:\\d\\d)")
                ? OffsetDateTime.parse(text).toInstant()
                : LocalDateTime.parse(text).toInstant(ZoneOffset.UTC);
    }

    private static CliFailure unreadable(String text) {
        return CliFailure.usage("\"" + text + "\" is no offset.", "Write " + GRAMMAR + ".");
    }

    /** The offset in each partition, within what the partition has. */
    Map<TopicPartition, Long> in(Collection<TopicPartition> partitions, LogOffsets offsets) {
        return switch (kind) {
            case START -> offsets.start(partitions);
            case END -> offsets.end(partitions);
            case TIME -> offsets.at(partitions, number);
            case OFFSET, BEFORE_END -> bounded(partitions, offsets);
        };
    }

    private Map<TopicPartition, Long> bounded(Collection<TopicPartition> partitions, LogOffsets offsets) {
        Map<TopicPartition, Long> start = offsets.start(partitions);
        Map<TopicPartition, Long> found = new HashMap<>();
        offsets.end(partitions).forEach((partition, end) -> {
            long wanted = kind == Kind.OFFSET ? number : end - number;
            found.put(partition, Math.max(start.get(partition), Math.min(end, wanted)));
        });
        return found;
    }
}
