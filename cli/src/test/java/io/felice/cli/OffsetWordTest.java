package io.felice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.cli.OffsetWord.Kind;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OffsetWordTest {
    private static final Instant NOW = Instant.parse("2026-02-01T12:00:00Z");
    private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);

    private static OffsetWord word(String text) {
        return OffsetWord.parse(text, CLOCK);
    }

    @ParameterizedTest
    @CsvSource({
        "start,START,0",
        "earliest,START,0",
        "end,END,0",
        "0,OFFSET,0",
        "42,OFFSET,42",
        "-10,BEFORE_END,10",
        "@1770000000000,TIME,1770000000000"
    })
    void aPlaceIsAWordANumberOrATime(String text, Kind kind, long number) {
        assertThat(word(text)).isEqualTo(new OffsetWord(kind, number));
    }

    @ParameterizedTest
    @CsvSource({
        "@-1h,2026-02-01T11:00:00Z",
        "@-2d,2026-01-30T12:00:00Z",
        "@2026-01-31,2026-01-31T00:00:00Z",
        "@2026-01-31T12:30:00,2026-01-31T12:30:00Z",
        "@2026-01-31T12:30:00Z,2026-01-31T12:30:00Z",
        "@2026-01-31T12:30:00+02:00,2026-01-31T10:30:00Z"
    })
    void aTimeIsADistanceADayOrAnInstant(String text, Instant instant) {
        assertThat(word(text)).isEqualTo(new OffsetWord(Kind.TIME, instant.toEpochMilli()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "begin", "4x", "--1", "@", "@yesterday", "@-5", "@-5y", "@2026-13-01", "1e3"})
    void whatIsNoPlaceIsRefusedWithTheGrammar(String text) {
        assertThatThrownBy(() -> word(text))
                .isInstanceOfSatisfying(CliFailure.class, failure -> assertThat(failure.exitCode())
                        .isEqualTo(CliFailure.USAGE));
    }

    @Test
    void aRangeHasAColonThatIsNotOneOfATime() {
        OffsetWord noon =
                new OffsetWord(Kind.TIME, Instant.parse("2026-01-31T12:00:00Z").toEpochMilli());
        OffsetWord end = new OffsetWord(Kind.END, 0);
        assertThat(List.of(
                        OffsetWord.Range.parse("@2026-01-31T12:00:00Z:end", CLOCK),
                        OffsetWord.Range.parse("@2026-01-31T12:00:00Z", CLOCK),
                        OffsetWord.Range.parse("@2026-01-31T12:00:00Z:@2026-01-31T12:00:00Z", CLOCK),
                        OffsetWord.Range.parse("5:10", CLOCK),
                        OffsetWord.Range.parse(":end", CLOCK),
                        OffsetWord.Range.parse("-3", CLOCK)))
                .containsExactly(
                        new OffsetWord.Range(noon, end),
                        new OffsetWord.Range(noon, null),
                        new OffsetWord.Range(noon, noon),
                        new OffsetWord.Range(new OffsetWord(Kind.OFFSET, 5), new OffsetWord(Kind.OFFSET, 10)),
                        new OffsetWord.Range(new OffsetWord(Kind.START, 0), end),
                        new OffsetWord.Range(new OffsetWord(Kind.BEFORE_END, 3), null));
    }
}
