package io.felice.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Runs the soaks that need a node of the distribution and many clients; {@code ./dev soak churn} and {@code limits}. */
public final class Soak {
    private static final String USAGE =
            """
            Usage: ./dev soak churn [OPTION]...     clients, groups and topics come and go; nothing may be left of them
                   ./dev soak limits [OPTION]...    a node with ever more partitions and connections

              --minutes N     churn: how long, after a warm-up          (30)
              --warm-up N     churn: minutes of the warm-up             (a fifth, at least 2)
              --seed N        churn: repeats the choices of a run       (random)
              --partitions L  limits: numbers of partitions             (1000,3000,10000)
              --heap SIZE     heap of the node                          (churn: 256m, limits: 2g)
              --report FILE   limits: where the table is written        (docs/benchmarks.md)
            """;

    /** The most fetch sessions of a node in the churn. */
    static final int FETCH_SESSIONS = 200;

    static final int TAIL_BUDGET_BYTES = 8 << 20;

    private Path felice;
    private Path work;
    private int minutes = 30;
    private int warmUp = -1;
    private long seed = System.nanoTime() % 1_000_000;
    private List<Integer> partitions = List.of(1_000, 3_000, 10_000);
    private String heap;
    private Path report = Path.of("docs/benchmarks.md");

    private Soak() {}

    public static void main(String[] arguments) throws Exception {
        Soak soak = new Soak();
        List<String> rest = new ArrayList<>(List.of(arguments));
        String command = rest.isEmpty() ? "" : rest.remove(0);
        try {
            soak.read(rest);
        } catch (IllegalArgumentException | IndexOutOfBoundsException wrong) {
            command = "";
        }
        switch (command) {
            case "churn" -> System.exit(soak.churn() ? 0 : 1);
            case "limits" -> {
                soak.limits();
                System.exit(0);
            }
            default -> {
                System.err.print(USAGE);
                System.exit(2);
            }
        }
    }

    private void read(List<String> arguments) {
        for (int i = 0; i < arguments.size(); i += 2) {
            String value = arguments.get(i + 1);
            switch (arguments.get(i)) {
                case "--felice" -> felice = Path.of(value);
                case "--work" -> work = Path.of(value);
                case "--minutes" -> minutes = Integer.parseInt(value);
                case "--warm-up" -> warmUp = Integer.parseInt(value);
                case "--seed" -> seed = Long.parseLong(value);
                case "--partitions" -> partitions =
                        Stream.of(value.split(",")).map(Integer::valueOf).toList();
                case "--heap" -> heap = value;
                case "--report" -> report = Path.of(value);
                default -> throw new IllegalArgumentException(value);
            }
        }
    }

    private boolean churn() throws Exception {
        deleteTree(work);
        Path etc = copyOf(felice.resolve("etc"), work.resolve("etc"));
        // So few that the warm-up reaches what the node keeps at most.
        set(etc.resolve("io.felice.handlers.cfg"), "fetch.sessions", Integer.toString(FETCH_SESSIONS));
        set(etc.resolve("io.felice.storage.log.cfg"), "tail.budget.bytes", Integer.toString(TAIL_BUDGET_BYTES));
        set(etc.resolve("io.felice.controller.cfg"), "snapshot.every.changes", "300");
        try (SoakedNode node = new SoakedNode(
                felice,
                work.resolve("data"),
                List.of("--etc", etc.toAbsolutePath().toString(), "--heap", heap == null ? "256m" : heap),
                Map.of("FELICE_JAVA_OPTS", "-XX:NativeMemoryTracking=summary"))) {
            node.start();
            Duration warm = Duration.ofMinutes(warmUp >= 0 ? warmUp : Math.max(2, minutes / 5));
            return new Churn(node, seed).run(warm, Duration.ofMinutes(minutes));
        }
    }

    private void limits() throws Exception {
        deleteTree(work);
        new NodeLimits(felice, work, heap == null ? "2g" : heap).run(partitions, new Report(report));
    }

    private static Path copyOf(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, to.resolve(file.getFileName().toString()));
            }
        }
        return to;
    }

    private static void set(Path file, String key, String value) throws IOException {
        List<String> lines = Files.readAllLines(file).stream()
                .map(line -> line.startsWith(key + " =") ? key + " = " + value : line)
                .toList();
        Files.write(file, lines);
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
