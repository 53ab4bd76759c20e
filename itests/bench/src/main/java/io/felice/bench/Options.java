package io.felice.bench;

import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * The options of the command line.
 *
 * @param rounds how often every row is measured on every broker
 * @param seconds how long one measurement of a throughput or latency row takes
 * @param rows only rows whose names contain a match are measured
 * @param brokers how many brokers each side has: 1, or 3 for a cluster
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
        boolean kraft,
        String heap,
        Path report) {

    static final String USAGE =
            """
            Usage: ./dev bench [cluster] [OPTION]...

            "cluster" compares three brokers with three.

              --rounds N      how often every row is measured on every broker   (5)
              --seconds N     how long one measurement takes                    (3)
              --rows REGEX    only the rows whose name fits                     (all)
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
                case "--kraft" -> kraft = true;
                case "--heap" -> heap = arguments[++i];
                case "--report" -> report = Path.of(arguments[++i]);
                default -> throw new IllegalArgumentException(USAGE);
            }
        }
        return new Options(kafka, felice, work, rounds, seconds, rows, brokers, kraft, heap, report);
    }

    boolean isCluster() {
        return brokers > 1;
    }
}
