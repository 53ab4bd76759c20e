package io.felice.bench;

import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The options of the command line.
 *
 * @param rounds how often every row is measured on every broker
 * @param seconds how long one measurement of a throughput or latency row takes
 * @param rows only rows whose names contain a match are measured
 * @param brokers how many brokers each side has: 1, or 3 for a cluster
 * @param scale the numbers of partitions that a cluster is measured with; empty unless that is all that is wanted
 * @param withKafka whether that is measured on Apache Kafka too
 * @param kraft whether Kafka runs in KRaft mode instead of with ZooKeeper
 */
record Options(
        Path kafka,
        Path felice,
        Path work,
        int rounds,
        int seconds,
        Pattern rows,
        int brokers,
        List<Integer> scale,
        boolean withKafka,
        boolean kraft,
        String heap,
        Path report) {

    static final String USAGE =
            """
            Usage: ./dev bench [cluster | scale] [OPTION]...

            "cluster" compares three brokers with three. "scale" gives three brokers ever more partitions.

              --rounds N      how often every row is measured on every broker   (5)
              --seconds N     how long one measurement takes                    (3)
              --rows REGEX    only the rows whose name fits                     (all)
              --partitions L  scale: how many                                   (1000,3000,10000)
              --with-kafka    scale: measure Apache Kafka too
              --kraft         compare with Apache Kafka 4 in KRaft mode         (3.9 with ZooKeeper)
              --heap SIZE     heap of each broker                               (1g)
              --report FILE   where the table is written                        (docs/benchmarks.md)
            """;

    static Options parse(String[] arguments) {
        Path kafka = null;
        Path felice = null;
        Path work = null;
        int rounds = 5;
        int seconds = 3;
        Pattern rows = Pattern.compile("");
        int brokers = 1;
        List<Integer> scale = List.of();
        boolean withKafka = false;
        boolean kraft = false;
        String heap = "1g";
        Path report = Path.of("docs/benchmarks.md");
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--kafka" -> kafka = Path.of(arguments[++i]);
                case "--felice" -> felice = Path.of(arguments[++i]);
                case "--work" -> work = Path.of(arguments[++i]);
                case "--rounds" -> rounds = Integer.parseInt(arguments[++i]);
                case "--seconds" -> seconds = Integer.parseInt(arguments[++i]);
                case "--rows" -> rows = Pattern.compile(arguments[++i]);
                case "--cluster" -> brokers = 3;
                case "--scale" -> {
                    brokers = 3;
                    scale = List.of(1_000, 3_000, 10_000);
                }
                case "--partitions" -> scale = Stream.of(arguments[++i].split(","))
                        .map(Integer::valueOf)
                        .toList();
                case "--with-kafka" -> withKafka = true;
                case "--kraft" -> kraft = true;
                case "--heap" -> heap = arguments[++i];
                case "--report" -> report = Path.of(arguments[++i]);
                default -> throw new IllegalArgumentException(USAGE);
            }
        }
        return new Options(kafka, felice, work, rounds, seconds, rows, brokers, scale, withKafka, kraft, heap, report);
    }

    boolean isCluster() {
        return brokers > 1;
    }
}
