package io.felice.bench;

import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A node of the distribution with its own data directory, started and stopped by its launcher. */
final class SoakedNode implements AutoCloseable {
    private static final long PATIENCE_MINUTES = 15;

    /** Threads of the Java machine itself, and those that answer the launcher's questions. */
    private static final Pattern OTHER_THREADS = Pattern.compile(
            "Attach Listener|C[12] CompilerThread.*|FelixResolver.*|NIOWorkerThread.*|felice-commands|process reaper.*");

    private static final Pattern THREAD = Pattern.compile("\"(.*)\" #\\d+ .*");
    private static final Pattern HISTOGRAM_ROW = Pattern.compile("\\s*\\d+:\\s+(\\d+)\\s+(\\d+)\\s+(\\S+).*");
    private static final Pattern HISTOGRAM_TOTAL = Pattern.compile("Total\\s+(\\d+)\\s+(\\d+)\\s*");
    /** A class loader, but none of those that the Java machine makes and forgets for reflection. */
    private static final Pattern CLASS_LOADER =
            Pattern.compile("0x\\S+\\s+\\S+\\s+0x\\S+\\s+(\\d+)\\s+\\d+\\s+\\d+\\s++(?!jdk.internal.reflect).*");

    private static final Pattern OUTSIDE = Pattern.compile("-\\s+Other \\(reserved=(\\d+)KB.*");

    private final Path home;
    private final Path data;
    private final int port = freePort();
    private final int zooKeeperPort = freePort();
    private final List<String> options;
    private final Map<String, String> environment;

    /**
     * @param home the unpacked distribution
     * @param data the data directory
     * @param options more options of {@code felice start}
     */
    SoakedNode(Path home, Path data, List<String> options, Map<String, String> environment) {
        this.home = home.toAbsolutePath();
        this.data = data.toAbsolutePath();
        this.options = options;
        this.environment = environment;
        Runtime.getRuntime().addShutdownHook(new Thread(this::killIfAlive));
    }

    String bootstrap() {
        return "127.0.0.1:" + port;
    }

    int port() {
        return port;
    }

    Path data() {
        return data;
    }

    /** Starts the node and returns when it serves. */
    void start() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "start",
                "--data",
                data.toString(),
                "--port",
                Integer.toString(port),
                "--console-port",
                "-1",
                "--zookeeper-port",
                Integer.toString(zooKeeperPort)));
        command.addAll(options);
        launch(command.toArray(String[]::new));
    }

    void stop() throws IOException, InterruptedException {
        launch("stop", "--data", data.toString());
    }

    /** Kills the process with SIGKILL and returns when it is gone. */
    void kill() throws IOException, InterruptedException {
        ProcessHandle process = ProcessHandle.of(pid()).orElseThrow();
        process.destroyForcibly();
        process.onExit().join();
        // The pid file of a killed node stays.
        Files.deleteIfExists(data.resolve("felice.pid"));
    }

    private void killIfAlive() {
        try {
            ProcessHandle.of(pid()).ifPresent(ProcessHandle::destroyForcibly);
        } catch (IOException stopped) {
            // There is no process.
        }
    }

    @Override
    public void close() throws IOException {
        if (!Files.exists(data.resolve("felice.pid"))) {
            return;
        }
        try {
            stop();
        } catch (InterruptedException hurry) {
            Thread.currentThread().interrupt();
        }
    }

    long pid() throws IOException {
        return Long.parseLong(Files.readString(data.resolve("felice.pid")).strip());
    }

    private String launch(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(home.resolve("bin/felice").toString());
        command.addAll(Arrays.asList(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        builder.environment().putIfAbsent("FELICE_START_TIMEOUT", "900");
        builder.environment().putIfAbsent("FELICE_STOP_TIMEOUT", "900");
        return output(builder);
    }

    private static String output(ProcessBuilder builder) throws IOException, InterruptedException {
        File file = File.createTempFile("felice-soak-", ".out");
        try {
            Process process =
                    builder.redirectErrorStream(true).redirectOutput(file).start();
            if (!process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new IllegalStateException(builder.command() + " did not end within " + PATIENCE_MINUTES + " min");
            }
            String text = Files.readString(file.toPath());
            if (process.exitValue() != 0) {
                throw new IllegalStateException(builder.command() + " ended with " + process.exitValue() + ": " + text);
            }
            return text;
        } finally {
            file.delete();
        }
    }

    // ---- numbers

    /** The rows of a table of {@code felice:status}, each with its first cell as the key: the cells by column. */
    Map<String, Map<String, String>> table(String name) throws IOException, InterruptedException {
        List<String> lines = launch("exec", "--data", data.toString(), "felice:status " + name)
                .lines()
                .filter(line -> line.contains("|"))
                .toList();
        Map<String, Map<String, String>> rows = new TreeMap<>();
        List<String> columns = cells(lines.get(0));
        for (String line : lines.subList(1, lines.size())) {
            List<String> cells = cells(line);
            Map<String, String> row = new TreeMap<>();
            for (int i = 0; i < columns.size(); i++) {
                row.put(columns.get(i), cells.get(i));
            }
            rows.put(cells.get(0), row);
        }
        return rows;
    }

    private static List<String> cells(String line) {
        return List.of(line.trim().split("\\s*\\|\\s*"));
    }

    private String jcmd(String... arguments) throws IOException, InterruptedException {
        String java = ProcessHandle.current().info().command().orElse("java");
        List<String> command = new ArrayList<>();
        command.add(Path.of(java).resolveSibling("jcmd").toString());
        command.add(Long.toString(pid()));
        command.addAll(Arrays.asList(arguments));
        return output(new ProcessBuilder(command));
    }

    /** A class and what its live objects take. */
    record Instances(long count, long bytes) {}

    /**
     * What the process holds.
     *
     * @param heapBytes live objects, after a full collection
     * @param outsideBytes what was allocated outside of the heap by the program: direct buffers; -1 if it is not tracked
     * @param objects live objects by class
     * @param threads by name, without the numbers in the names
     * @param files open files that are not sockets
     */
    record Holdings(
            long heapBytes,
            long outsideBytes,
            Map<String, Instances> objects,
            Map<String, Integer> threads,
            int files,
            int sockets,
            long classLoaders,
            long classes,
            long residentBytes) {
        int threadCount() {
            return threads.values().stream().mapToInt(Integer::intValue).sum();
        }
    }

    Holdings holdings() throws IOException, InterruptedException {
        jcmd("GC.run");
        // What the first collection has found unreachable is cleaned by then: buffers, class loaders.
        Thread.sleep(500);
        Map<String, Instances> objects = new TreeMap<>();
        long heap = 0;
        for (String line : jcmd("GC.class_histogram").lines().toList()) {
            Matcher row = HISTOGRAM_ROW.matcher(line);
            Matcher total = HISTOGRAM_TOTAL.matcher(line);
            if (row.matches()) {
                objects.put(row.group(3), new Instances(Long.parseLong(row.group(1)), Long.parseLong(row.group(2))));
            } else if (total.matches()) {
                heap = Long.parseLong(total.group(2));
            }
        }
        long loaders = 0;
        long classes = 0;
        for (String line : jcmd("VM.classloader_stats").lines().toList()) {
            Matcher loader = CLASS_LOADER.matcher(line);
            if (loader.matches()) {
                loaders++;
                classes += Long.parseLong(loader.group(1));
            }
        }
        List<String> files = openFiles();
        int sockets =
                (int) files.stream().filter(file -> file.startsWith("socket:")).count();
        return new Holdings(
                heap,
                outsideBytes(),
                objects,
                threads(),
                files.size() - sockets,
                sockets,
                loaders,
                classes,
                residentBytes());
    }

    private long outsideBytes() throws IOException, InterruptedException {
        return jcmd("VM.native_memory", "summary", "scale=KB")
                .lines()
                .map(OUTSIDE::matcher)
                .filter(Matcher::matches)
                .mapToLong(other -> Long.parseLong(other.group(1)) * 1024)
                .findFirst()
                .orElse(-1);
    }

    private Map<String, Integer> threads() throws IOException, InterruptedException {
        Map<String, Integer> threads = new TreeMap<>();
        jcmd("Thread.print")
                .lines()
                .map(THREAD::matcher)
                .filter(Matcher::matches)
                .map(thread -> thread.group(1))
                .filter(name -> !OTHER_THREADS.matcher(name).matches())
                .forEach(name -> threads.merge(name.replaceAll("\\d+", "N"), 1, Integer::sum));
        return threads;
    }

    List<String> openFiles() throws IOException {
        List<String> targets = new ArrayList<>();
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + pid() + "/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                try {
                    targets.add(Files.readSymbolicLink(descriptor).toString());
                } catch (IOException closedMeanwhile) {
                    // It is not open any more.
                }
            }
        }
        return targets;
    }

    long residentBytes() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid() + "/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", "")) * 1024)
                    .sum();
        }
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException none) {
            throw new IllegalStateException("There is no free port", none);
        }
    }
}
