package io.felice.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A row with its samples. The order of a round (Kafka, Felice, Felice, Kafka) gives both brokers equally many
 * samples with the same average time within the round.
 */
record Result(Row row, List<Sample> kafka, List<Sample> felice, List<Sample> feliceAgain, List<Sample> kafkaAgain) {
    Result(Row row) {
        this(row, new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    }

    String line() {
        return String.format(
                Locale.ROOT,
                "| %s | %s %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s / %s |",
                row.name(),
                number(median(kafka, kafkaAgain, Sample::value)),
                row.unit(),
                number(median(felice, feliceAgain, Sample::value)),
                overKafka(Sample::value),
                overItself(kafka, kafkaAgain, Sample::value),
                number(median(kafka, kafkaAgain, Sample::cpuMicros)),
                number(median(felice, feliceAgain, Sample::cpuMicros)),
                overKafka(Sample::cpuMicros),
                overItself(kafka, kafkaAgain, Sample::cpuMicros),
                overItself(felice, feliceAgain, Sample::cpuMicros),
                overKafka(Sample::userMicros),
                overKafka(Sample::compiledMicros),
                number(median(kafka, kafkaAgain, Sample::batchBytes)),
                number(median(felice, feliceAgain, Sample::batchBytes)));
    }

    /** Every sample as a line of CSV: row, round, broker, value, three processor times and batch size. */
    String samples() {
        StringBuilder lines = new StringBuilder();
        for (int round = 0; round < felice.size(); round++) {
            lines.append(sample(round, "Kafka", kafka))
                    .append(sample(round, "Felice", felice))
                    .append(sample(round, "Felice again", feliceAgain))
                    .append(sample(round, "Kafka again", kafkaAgain));
        }
        return lines.toString();
    }

    private String sample(int round, String broker, List<Sample> samples) {
        Sample one = samples.get(round);
        return String.format(
                Locale.ROOT,
                "%s,%d,%s,%.3f,%.4f,%.4f,%.4f,%.0f%n",
                row.name(),
                round + 1,
                broker,
                one.value(),
                one.cpuMicros(),
                one.userMicros(),
                one.compiledMicros(),
                one.batchBytes());
    }

    private String overKafka(ToDoubleFunction<Sample> of) {
        return spread(IntStream.range(0, felice.size())
                .mapToDouble(round -> sum(round, felice, feliceAgain, of) / sum(round, kafka, kafkaAgain, of))
                .toArray());
    }

    private static double sum(int round, List<Sample> once, List<Sample> again, ToDoubleFunction<Sample> of) {
        return of.applyAsDouble(once.get(round)) + of.applyAsDouble(again.get(round));
    }

    private static String overItself(List<Sample> once, List<Sample> again, ToDoubleFunction<Sample> of) {
        return spread(IntStream.range(0, once.size())
                .mapToDouble(round -> of.applyAsDouble(again.get(round)) / of.applyAsDouble(once.get(round)))
                .toArray());
    }

    private static double median(List<Sample> once, List<Sample> again, ToDoubleFunction<Sample> of) {
        return Sample.median(
                Stream.concat(once.stream(), again.stream()).mapToDouble(of).toArray());
    }

    private static String spread(double... ratios) {
        double median = Sample.median(ratios);
        return Double.isNaN(median) || Arrays.stream(ratios).anyMatch(ratio -> !Double.isFinite(ratio) || ratio < 0)
                ? "–"
                : String.format(
                        Locale.ROOT,
                        "%.2f [%.2f–%.2f]",
                        median,
                        Arrays.stream(ratios).min().orElseThrow(),
                        Arrays.stream(ratios).max().orElseThrow());
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "–" : String.format(Locale.ROOT, value < 10 ? "%.2f" : "%.0f", value);
    }
}
