package io.felice.bench;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Apache Kafka or Felice: one broker in a process, or several that are a cluster. Their processor time and memory are
 * read from {@code /proc}, and are those of all brokers together. Not thread-safe.
 */
final class BenchedBroker implements AutoCloseable {
    private static final long IDLE_WITHIN_SECONDS = 120;
    private static final long IDLE_MS = 500;
    private static final double IDLE_SHARE = 0.05;
    private static final double TICKS_PER_SECOND = 100;
    private static final Pattern COMPILER = Pattern.compile("C[12] Compiler");

    private final String name;
    private final List<ProcessBuilder> commands;
    private final List<Process> processes;
    private final List<Process> others;
    private final int zooKeeperPort;
    private final String bootstrap;
    private final Map<String, Object> encryption;
    private final double startSeconds;
    private final BenchedBroker encrypted;

    /**
     * @param commands start the brokers again, one each
     * @param processes the brokers, in the order of {@code commands}; their ids are 1 and following in a cluster
     * @param others processes that are closed too, but are not measured, such as ZooKeeper
     * @param zooKeeperPort the port of that ZooKeeper; 0 if there is none
     * @param encryption what a client needs on the listener SSL
     */
    BenchedBroker(
            String name,
            List<ProcessBuilder> commands,
            List<Process> processes,
            List<Process> others,
            int zooKeeperPort,
            String bootstrap,
            Map<String, Object> encryption,
            String encryptedBootstrap,
            double startSeconds) {
        this.name = name;
        this.commands = commands;
        this.processes = processes;
        this.others = others;
        this.zooKeeperPort = zooKeeperPort;
        this.bootstrap = bootstrap;
        this.encryption = Map.of();
        this.startSeconds = startSeconds;
        this.encrypted = new BenchedBroker(this, encryption, encryptedBootstrap);
    }

    private BenchedBroker(BenchedBroker plain, Map<String, Object> encryption, String bootstrap) {
        this.name = plain.name;
        this.commands = plain.commands;
        this.processes = plain.processes;
        this.others = plain.others;
        this.zooKeeperPort = plain.zooKeeperPort;
        this.bootstrap = bootstrap;
        this.encryption = encryption;
        this.startSeconds = plain.startSeconds;
        this.encrypted = this;
    }

    /** The same broker, as its clients on the listener SSL see it. */
    BenchedBroker encrypted() {
        return encrypted;
    }

    /** The number of brokers, which is the replication factor of the topics too. */
    int size() {
        return processes.size();
    }

    /** The port of the ZooKeeper that is a process of its own. */
    int zooKeeperPort() {
        return zooKeeperPort;
    }

    /** Kills a broker with kill -9. */
    void kill(int id) throws InterruptedException {
        Process process = processes.get(id - 1);
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
    }

    /** Stops a broker in order. */
    void stop(int id) throws InterruptedException {
        Process process = processes.get(id - 1);
        process.destroy();
        process.waitFor();
    }

    /** Starts a broker that was killed or stopped. Does not wait until it is ready. */
    void start(int id) throws IOException {
        processes.set(id - 1, mortal(commands.get(id - 1).start()));
    }

    static Process mortal(Process process) {
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        return process;
    }

    /** What a client needs to connect. */
    Map<String, Object> clientSettings() {
        Map<String, Object> settings = new HashMap<>(encryption);
        settings.put("bootstrap.servers", bootstrap);
        return settings;
    }

    boolean isFelice() {
        return name.equals("Felice");
    }

    String bootstrap() {
        return bootstrap;
    }

    /** The time from the start of the process to the first acknowledged record, in seconds. */
    double startSeconds() {
        return startSeconds;
    }

    /**
     * The processor time that the brokers and their child processes have used so far. A ZooKeeper in a process of its
     * own is not counted.
     */
    Cpu cpu() {
        return cpuWithout(0);
    }

    /** The processor time that the brokers but this one have used so far. */
    Cpu cpuWithout(int id) {
        return IntStream.range(0, processes.size())
                .filter(index -> index != id - 1)
                .mapToObj(processes::get)
                .flatMap(BenchedBroker::withDescendants)
                .map(BenchedBroker::cpu)
                .reduce(new Cpu(0, 0, 0), Cpu::plus);
    }

    /**
     * Processor time in seconds.
     *
     * @param user in user mode, without the JIT compiler
     * @param system in the kernel, without the JIT compiler
     * @param compiler in the JIT compiler, whose work ends after a while
     */
    record Cpu(double user, double system, double compiler) {
        Cpu plus(Cpu other) {
            return new Cpu(user + other.user, system + other.system, compiler + other.compiler);
        }

        Cpu since(Cpu earlier) {
            return new Cpu(user - earlier.user, system - earlier.system, compiler - earlier.compiler);
        }
    }

    /**
     * Waits until the broker uses almost no processor time, so that work in the background, such as deleting topics, is
     * done.
     */
    void awaitIdle() throws InterruptedException {
        Cpu spent;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(IDLE_WITHIN_SECONDS);
        do {
            Cpu before = cpu();
            Thread.sleep(IDLE_MS);
            spent = cpu().since(before);
        } while (spent.user() + spent.system() > IDLE_SHARE * IDLE_MS / 1000 && System.nanoTime() < deadline);
    }

    /** Resident memory, in megabytes. */
    double residentMegabytes() {
        return ownProcesses().mapToDouble(BenchedBroker::residentMegabytes).sum();
    }

    private Stream<ProcessHandle> ownProcesses() {
        return processes.stream().flatMap(BenchedBroker::withDescendants);
    }

    private static Stream<ProcessHandle> withDescendants(Process process) {
        return Stream.concat(Stream.of(process.toHandle()), process.toHandle().descendants());
    }

    private static Cpu cpu(ProcessHandle process) {
        Path proc = Path.of("/proc/" + process.pid());
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(proc.resolve("task"))) {
            Cpu all = cpuIn(proc);
            for (Path thread : threads) {
                if (COMPILER.matcher(Files.readString(thread.resolve("comm"))).lookingAt()) {
                    Cpu compiler = cpuIn(thread);
                    all = all.since(compiler).plus(new Cpu(0, 0, compiler.user + compiler.system));
                }
            }
            return all;
        } catch (IOException gone) {
            return new Cpu(0, 0, 0);
        }
    }

    private static Cpu cpuIn(Path directory) throws IOException {
        String stat = Files.readString(directory.resolve("stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return new Cpu(Long.parseLong(fields[11]) / TICKS_PER_SECOND, Long.parseLong(fields[12]) / TICKS_PER_SECOND, 0);
    }

    private static double residentMegabytes(ProcessHandle process) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/" + process.pid() + "/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D+", "")) / 1024)
                    .sum();
        } catch (IOException gone) {
            return 0;
        }
    }

    @Override
    public void close() {
        List<Process> all = new ArrayList<>(processes);
        all.addAll(others);
        for (Process process : all) {
            process.destroy();
            try {
                if (!process.waitFor(30, TimeUnit.SECONDS)) {
                    process.descendants().forEach(ProcessHandle::destroyForcibly);
                    process.destroyForcibly();
                }
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
