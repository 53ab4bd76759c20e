package io.felice.bench;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Measures Apache Kafka and Felice in one run. In every round each row is measured on Kafka, twice on Felice, and on
 * Kafka again. The two samples of one broker show how much its results vary on this machine. A ratio of the two brokers
 * within that variation means nothing.
 */
public final class Bench {
    private static final int WARM_UP_ROUNDS = 3;
    private static final int CONNECTIONS = 5_000;
    /** The end of the names of rows, and with a dash of topics, that Felice keeps in its engine mvstore. */
    private static final String MVSTORE = ".mvstore";
    /** The end of the names of rows whose clients use the listener SSL. */
    private static final String TLS = ".tls";
    /** The end of the names of rows of a cluster whose topics have one replica, and with a dash of these topics. */
    private static final String ONE_REPLICA = ".rf1";

    /** When more than this is on the disk, the topics are deleted before the next row. */
    private static final long MOST_GIGABYTES_KEPT = 20;

    private final Options options;
    private final Workloads workloads;
    private final List<Row> rows = new ArrayList<>();

    private Bench(Options options, FreeMemory memory) {
        this.options = options;
        this.workloads = new Workloads(options.seconds(), memory);
    }

    public static void main(String[] arguments) throws Exception {
        Options options;
        try {
            options = Options.parse(arguments);
        } catch (IllegalArgumentException wrong) {
            System.err.print(Options.USAGE);
            System.exit(2);
            return;
        }
        deleteTree(options.work());
        if (!options.scale().isEmpty()) {
            new ClusterScale(
                            options,
                            Certificate.make(
                                    options.work().resolve("certificate").toAbsolutePath()))
                    .run();
            return;
        }
        try (FreeMemory memory = new FreeMemory(options.work(), options.seconds())) {
            new Bench(options, memory).run();
        }
    }

    private void run() throws Exception {
        Certificate certificate =
                Certificate.make(options.work().resolve("certificate").toAbsolutePath());
        try (BenchedBroker kafka = BrokerLaunch.kafka(
                        options, certificate, options.work().resolve("kafka").toAbsolutePath());
                BenchedBroker felice = BrokerLaunch.felice(
                        options, certificate, options.work().resolve("felice").toAbsolutePath())) {
            System.out.printf(
                    Locale.ROOT,
                    "started: Apache Kafka %.1f s, Felice %.1f s%n",
                    kafka.startSeconds(),
                    felice.startSeconds());
            double[] idle = {kafka.residentMegabytes(), felice.residentMegabytes()};
            double[] connected = options.isCluster()
                    ? new double[] {Double.NaN, Double.NaN}
                    : new double[] {
                        workloads.idleConnections(kafka, CONNECTIONS), workloads.idleConnections(felice, CONNECTIONS)
                    };
            if (options.isCluster()) {
                declareRowsOfClusters();
            } else {
                declareRows();
            }
            warmUp(kafka);
            warmUp(felice);
            List<Result> results = new ArrayList<>();
            Path samples = options.work().resolve("samples.csv");
            Files.writeString(samples, "row,round,broker,value,CPU us,user CPU us,CPU with compiler us,batch bytes\n");
            for (Row row : rows) {
                if (options.rows().matcher(row.name()).find()) {
                    results.add(measure(row, kafka, felice));
                    Result newest = results.get(results.size() - 1);
                    System.out.println(newest.line());
                    Files.writeString(samples, newest.samples(), StandardOpenOption.APPEND);
                }
            }
            double[] loaded = {kafka.residentMegabytes(), felice.residentMegabytes()};
            String report = report(results, kafka, felice, idle, connected, loaded);
            new Report(options.report()).write(options.isCluster() ? "./dev bench cluster" : "./dev bench", report);
            System.out.println("written to " + options.report() + ", every sample to " + samples);
        }
    }

    private void declareRows() {
        for (int partitions : List.of(1, 16, 256)) {
            for (int size : List.of(100, 1_000)) {
                if (partitions == 256) {
                    firstProduce(partitions, size);
                }
                produce(partitions, size, "1", "none");
                produce(partitions, size, "all", "none");
                produce(partitions, size, "1", "lz4");
            }
        }
        rows.add(new Row("req.acks1.100B", "req/s", broker -> workloads.requests(broker, "req", 100, "1")));
        rows.add(new Row("req.all.10B", "req/s", broker -> workloads.requests(broker, "req", 10, "all")));
        rows.add(new Row("rtt.all.100B", "ms p50", broker -> workloads.roundTrip(broker, "rtt", 100, "all")));
        consume("cons.100B.p1", 1, 100, "none");
        consume("cons.1K.p1", 1, 1_000, "none");
        consume("cons.1K.lz4.p1", 1, 1_000, "lz4");
        consume("cons.1K.p16", 16, 1_000, "none");
        consume("cons.1K.p256", 256, 1_000, "none");
        endToEnd("e2e.acks1.1K.1k/s.p50", "1", 1_000, 50);
        endToEnd("e2e.acks1.1K.1k/s.p99", "1", 1_000, 99);
        endToEnd("e2e.all.1K.5k/s.p50", "all", 5_000, 50);
        endToEnd("e2e.all.1K.5k/s.p99", "all", 5_000, 99);
        rows.add(new Row(
                "topic.1000p.first-writes",
                "s",
                broker -> workloads.firstWrites(broker, "wide-" + System.nanoTime(), 1_000)));
        declareRowsOfMvstore();
        declareRowsOfTls();
    }

    /** Three brokers against three. Each topic has three replicas, but for the rows that end with rf1. */
    private void declareRowsOfClusters() {
        produce(16, 100, "all", "none");
        produce(16, 1_000, "1", "none");
        produce(16, 1_000, "all", "none");
        String single = "prod.acks1.1K.p16" + ONE_REPLICA;
        rows.add(new Row(single, "MB/s", broker -> workloads.produce(broker, topic(single), 16, 1_000, "1", "none")));
        rows.add(new Row("req.all.100B", "req/s", broker -> workloads.requests(broker, "req", 100, "all")));
        rows.add(new Row("rtt.all.100B", "ms p50", broker -> workloads.roundTrip(broker, "rtt", 100, "all")));
        endToEnd("e2e.all.1K.1k/s.p50", "all", 1_000, 50);
        endToEnd("e2e.all.1K.1k/s.p99", "all", 1_000, 99);
        ClusterWorkloads clusters = new ClusterWorkloads();
        rows.add(new Row("topics.1000p.create", "s", cluster -> clusters.createPartitions(cluster, 1_000)));
        rows.add(new Row("topics.1000p.delete", "s", cluster -> clusters.deletePartitions(cluster, 1_000)));
        for (int megabytes : List.of(1, 400)) {
            rows.add(new Row(
                    "catch-up." + megabytes + "MB",
                    "s",
                    cluster -> clusters.catchUp(cluster, "behind-" + System.nanoTime(), megabytes)));
        }
        rows.add(new Row("failover", "ms", cluster -> clusters.failover(cluster, "failover-" + System.nanoTime())));
    }

    /** What the same costs over TLS 1.3, with the same JVM and its own encryption in both brokers. */
    private void declareRowsOfTls() {
        for (int partitions : List.of(1, 16)) {
            String name = "prod.acks1.1K.p" + partitions + TLS;
            rows.add(new Row(
                    name,
                    "MB/s",
                    broker -> workloads.produce(broker.encrypted(), topic(name), partitions, 1_000, "1", "none")));
        }
        for (int partitions : List.of(1, 16)) {
            String name = "cons.1K.p" + partitions + TLS;
            rows.add(new Row(
                    name,
                    "MB/s",
                    broker -> workloads.consume(broker.encrypted(), topic(name), partitions, 1_000, "none")));
        }
        rows.add(new Row(
                "req.acks1.100B" + TLS,
                "req/s",
                broker -> workloads.requests(broker.encrypted(), topic("req" + TLS), 100, "1")));
    }

    /** What the same topics cost in the engine mvstore of Felice. Apache Kafka keeps them as the others. */
    private void declareRowsOfMvstore() {
        for (int partitions : List.of(1, 16, 256)) {
            produce(partitions, 1_000, "all", "none", MVSTORE);
        }
        produce(16, 100, "all", "none", MVSTORE);
        rows.add(new Row(
                "req.all.10B" + MVSTORE,
                "req/s",
                broker -> workloads.requests(broker, topic("req" + MVSTORE), 10, "all")));
        rows.add(new Row(
                "rtt.all.100B" + MVSTORE,
                "ms p50",
                broker -> workloads.roundTrip(broker, topic("rtt" + MVSTORE), 100, "all")));
        consume("cons.1K.p1" + MVSTORE, 1, 1_000, "none");
        consume("cons.1K.p16" + MVSTORE, 16, 1_000, "none");
        endToEnd("e2e.all.1K.5k/s.p50" + MVSTORE, "all", 5_000, 50, topic("e2e" + MVSTORE));
        endToEnd("e2e.all.1K.5k/s.p99" + MVSTORE, "all", 5_000, 99, topic("e2e" + MVSTORE));
        rows.add(new Row(
                "topic.1000p.first-writes" + MVSTORE,
                "s",
                broker -> workloads.firstWrites(broker, "wide-" + System.nanoTime() + topic(MVSTORE), 1_000)));
    }

    private void produce(int partitions, int size, String acks, String codec) {
        produce(partitions, size, acks, codec, "");
    }

    private void produce(int partitions, int size, String acks, String codec, String suffix) {
        String name = "prod.acks" + acks + sized(size) + (codec.equals("none") ? "" : "." + codec) + ".p" + partitions
                + suffix;
        rows.add(
                new Row(name, "MB/s", broker -> workloads.produce(broker, topic(name), partitions, size, acks, codec)));
    }

    private void firstProduce(int partitions, int size) {
        rows.add(new Row(
                "prod.acks1" + sized(size) + ".p" + partitions + ".first",
                "MB/s",
                broker -> workloads.firstProduce(broker, "first-" + System.nanoTime(), partitions, size, "1", "none")));
    }

    private static String sized(int size) {
        return size < 1_000 ? "." + size + "B" : "." + size / 1_000 + "K";
    }

    private void consume(String name, int partitions, int size, String codec) {
        rows.add(new Row(name, "MB/s", broker -> workloads.consume(broker, topic(name), partitions, size, codec)));
    }

    private void endToEnd(String name, String acks, int perSecond, int percent) {
        endToEnd(name, acks, perSecond, percent, "e2e");
    }

    private void endToEnd(String name, String acks, int perSecond, int percent, String topic) {
        rows.add(new Row(name, "ms", broker -> workloads.endToEnd(broker, topic, 1_000, acks, perSecond, percent)));
    }

    private static String topic(String row) {
        return row.replace('.', '-');
    }

    /** Lets the JIT compiler compile the code of the broker before the first sample. */
    private void warmUp(BenchedBroker broker) throws Exception {
        for (int i = 0; i < WARM_UP_ROUNDS; i++) {
            workloads.produce(broker, "warm-up", 16, 1_000, "1", "none");
            workloads.requests(broker, "warm-up-requests", 100, "all");
            workloads.consume(broker, "warm-up-reading", 16, 1_000, "none");
        }
        workloads.deleteTopics(broker);
    }

    private Result measure(Row row, BenchedBroker kafka, BenchedBroker felice) throws Exception {
        measure(row, kafka);
        measure(row, felice);
        Result result = new Result(row);
        for (int round = 0; round < options.rounds(); round++) {
            result.kafka().add(measure(row, kafka));
            result.felice().add(measure(row, felice));
            result.feliceAgain().add(measure(row, felice));
            result.kafkaAgain().add(measure(row, kafka));
        }
        if (gigabytesIn(options.work()) > MOST_GIGABYTES_KEPT) {
            workloads.deleteTopics(kafka);
            workloads.deleteTopics(felice);
        }
        return result;
    }

    private static Sample measure(Row row, BenchedBroker broker) throws Exception {
        Workloads.settle(broker);
        return row.measurement().measure(broker);
    }

    private String report(
            List<Result> results,
            BenchedBroker kafka,
            BenchedBroker felice,
            double[] idle,
            double[] connected,
            double[] loaded) {
        StringBuilder text = new StringBuilder();
        text.append(
                options.isCluster()
                        ? "## Three brokers side by side with three of Apache Kafka\n\n"
                        : "## Side by side with Apache Kafka\n\n");
        text.append(String.format(
                Locale.ROOT,
                """
                Written by `%s` on %s: Apache Kafka %s and Felice on the same machine (%d processors, Java %s), \
                heap %s each, default settings, Kafka's Java client; %d rounds of %d s after one that is not counted, which follows a warm-up.

                Every sample begins with an idle broker and with nothing left to be written to the disk. What is written \
                much of finds free memory that was in use a moment ago: on a virtual machine memory that lies free for long is \
                slow to get, and would otherwise decide. The first half second of producing is not counted, except in the \
                rows of first writes: what a broker maps of its files comes back into memory then. What is read was written \
                for that sample.

                In each round a row is measured on Kafka, on Felice, on Felice again and on Kafka again. "Felice/Kafka" is \
                the median of the rounds' ratios, of the mean of both samples, with its smallest and largest; \
                "Kafka/Kafka" and "Felice/Felice" are the second sample against the first, one broker against itself: a \
                ratio inside that spread says nothing. CPU is the broker's own processor time per record (per \
                request in rows of single requests, per partition in rows of topics), in microseconds, without the Java \
                machine's compiler, whose work comes to an end; it decides. \
                User CPU leaves out the kernel: sockets and page cache. "With the compiler" counts the compiler too. \
                Batches are sent when they are full, so that both brokers are given nearly the same ones; the last column \
                is their mean size.

                """,
                options.isCluster() ? "./dev bench cluster" : "./dev bench",
                LocalDate.now(),
                options.kraft()
                        ? "(KRaft) " + options.kafka().getFileName()
                        : "(ZooKeeper mode) " + options.kafka().getFileName(),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("java.version"),
                options.heap(),
                options.rounds(),
                options.seconds()));
        text.append(
                "| row | Kafka | Felice | Felice/Kafka | Kafka/Kafka | CPU us Kafka | CPU us Felice | CPU Felice/Kafka | CPU Kafka/Kafka | CPU Felice/Felice | user CPU Felice/Kafka | with the compiler | batch bytes Kafka / Felice |\n");
        text.append("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
        results.forEach(result -> text.append(result.line()).append('\n'));
        if (options.isCluster()) {
            text.append(memoryOfClusters(kafka, felice, idle, loaded));
            return text.toString();
        }
        text.append(String.format(
                Locale.ROOT,
                """

                | | Kafka | Felice |
                | --- | --- | --- |
                | start to first record, s | %.1f (ZooKeeper included) | %.1f (ZooKeeper included) |
                | resident memory when started, MB | %.0f (without ZooKeeper) | %.0f (with ZooKeeper) |
                | resident memory that %d idle connections add, MB | %.0f | %.0f |
                | resident memory after the rows, MB | %.0f | %.0f |
                """,
                kafka.startSeconds(),
                felice.startSeconds(),
                idle[0],
                idle[1],
                CONNECTIONS,
                connected[0],
                connected[1],
                loaded[0],
                loaded[1]));
        return text.toString();
    }

    private String memoryOfClusters(BenchedBroker kafka, BenchedBroker felice, double[] idle, double[] loaded) {
        return String.format(
                Locale.ROOT,
                """

                Each topic has three replicas and `min.insync.replicas=2` (rows of `prod`, `req`, `rtt` and `e2e`: 1), and the \
                processor time and the memory are those of the three brokers together. ZooKeeper is a process of its own on both \
                sides and is not counted. A catch-up begins with the start of a broker that missed so many megabytes, and ends when \
                it is in sync. A failover is the longest time between two records that a producer with acks=all and Kafka's \
                defaults gets acknowledged around `kill -9` of the leader.

                | three brokers | Kafka | Felice |
                | --- | --- | --- |
                | start to first record, s | %.1f | %.1f |
                | resident memory when started, MB | %.0f | %.0f |
                | resident memory after the rows, MB | %.0f | %.0f |
                """,
                kafka.startSeconds(),
                felice.startSeconds(),
                idle[0],
                idle[1],
                loaded[0],
                loaded[1]);
    }

    private static long gigabytesIn(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return files.map(Path::toFile)
                            .filter(File::isFile)
                            .filter(file -> file.getName().endsWith(".log")
                                    || file.getName().endsWith(".mv"))
                            .mapToLong(File::length)
                            .sum()
                    >> 30;
        } catch (UncheckedIOException deletedMeanwhile) {
            return gigabytesIn(root);
        }
    }

    static void deleteTree(Path root) throws IOException {
        if (Files.exists(root)) {
            try (Stream<Path> files = Files.walk(root)) {
                files.sorted(Comparator.reverseOrder())
                        .forEach(file -> file.toFile().delete());
            }
        }
        Files.createDirectories(root);
    }
}
