package io.felice.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Apache Kafka or Felice in a process of its own. Its processor time and memory are read from {@code /proc}. */
final class BenchedBroker implements AutoCloseable {
    private static final long START_WITHIN_SECONDS = 120;
    private static final long IDLE_WITHIN_SECONDS = 120;
    private static final long IDLE_MS = 500;
    private static final double IDLE_SHARE = 0.05;
    private static final double TICKS_PER_SECOND = 100;
    private static final String JVM_FLAGS = "-XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35"
            // If a compiler thread ended, its processor time could no longer be read.
            + " -XX:-UseDynamicNumberOfCompilerThreads";
    private static final Pattern COMPILER = Pattern.compile("C[12] Compiler");

    private final String name;
    private final Path directory;
    private final List<Process> processes;
    private final String bootstrap;
    private final Map<String, Object> encryption;
    private final double startSeconds;
    private BenchedBroker encrypted;

    private BenchedBroker(
            String name,
            Path directory,
            List<Process> processes,
            String bootstrap,
            Map<String, Object> encryption,
            double startSeconds) {
        this.name = name;
        this.directory = directory;
        this.processes = processes;
        this.bootstrap = bootstrap;
        this.encryption = encryption;
        this.startSeconds = startSeconds;
    }

    /** The same broker, as its clients on the listener SSL see it. */
    BenchedBroker encrypted() {
        return encrypted;
    }

    /** What a client needs to connect. */
    Map<String, Object> clientSettings() {
        Map<String, Object> settings = new HashMap<>(encryption);
        settings.put("bootstrap.servers", bootstrap);
        return settings;
    }

    static BenchedBroker kafka(Options options, Certificate certificate, Path directory)
            throws IOException, InterruptedException {
        Files.createDirectories(directory);
        int port = freePort();
        int second = freePort();
        int sslPort = freePort();
        String classPath = options.kafka().toAbsolutePath() + "/*";
        List<Process> processes = new ArrayList<>();
        Properties server = new Properties();
        server.setProperty("log.dirs", directory.resolve("logs").toString());
        server.setProperty("ssl.keystore.type", "PKCS12");
        server.setProperty("ssl.keystore.location", certificate.keyStore().toString());
        server.setProperty("ssl.keystore.password", Certificate.PASSWORD);
        server.setProperty("offsets.topic.replication.factor", "1");
        server.setProperty("transaction.state.log.replication.factor", "1");
        server.setProperty("transaction.state.log.min.isr", "1");
        Path config = directory.resolve("server.properties");
        long began = System.nanoTime();
        if (options.kraft()) {
            server.setProperty("process.roles", "broker,controller");
            server.setProperty("node.id", "1");
            server.setProperty("controller.quorum.voters", "1@127.0.0.1:" + second);
            server.setProperty("controller.listener.names", "CONTROLLER");
            server.setProperty("listeners", listeners(port, sslPort) + ",CONTROLLER://127.0.0.1:" + second);
            server.setProperty("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT");
            store(server, config);
            java(
                            options,
                            directory,
                            "format",
                            classPath,
                            "kafka.tools.StorageTool",
                            List.of("format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c", config.toString()))
                    .waitFor();
            began = System.nanoTime();
        } else {
            Properties zooKeeper = new Properties();
            zooKeeper.setProperty("dataDir", directory.resolve("zookeeper").toString());
            zooKeeper.setProperty("clientPort", Integer.toString(second));
            zooKeeper.setProperty("clientPortAddress", "127.0.0.1");
            zooKeeper.setProperty("admin.enableServer", "false");
            Path zooKeeperConfig = directory.resolve("zookeeper.properties");
            store(zooKeeper, zooKeeperConfig);
            processes.add(java(
                    options,
                    directory,
                    "zookeeper",
                    classPath,
                    "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                    List.of(zooKeeperConfig.toString())));
            awaitPort(second);
            server.setProperty("broker.id", "1");
            server.setProperty("listeners", listeners(port, sslPort));
            server.setProperty("zookeeper.connect", "127.0.0.1:" + second);
            store(server, config);
        }
        processes.add(0, java(options, directory, "broker", classPath, "kafka.Kafka", List.of(config.toString())));
        return started("Apache Kafka", directory, processes, port, sslPort, certificate, began);
    }

    static BenchedBroker felice(Options options, Certificate certificate, Path directory)
            throws IOException, InterruptedException {
        Files.createDirectories(directory);
        int port = freePort();
        int sslPort = freePort();
        Path etc = directory.resolve("etc");
        writeEtc(
                options.felice().resolve("etc"),
                etc,
                Map.of(
                        "listeners",
                        listeners(port, sslPort),
                        "ssl.keystore.location",
                        certificate.keyStore().toString(),
                        "ssl.keystore.password",
                        Certificate.PASSWORD));
        ProcessBuilder launcher = new ProcessBuilder(
                        options.felice().toAbsolutePath() + "/bin/felice",
                        "run",
                        "--data",
                        directory.resolve("data").toString(),
                        "--port",
                        Integer.toString(port),
                        "--zookeeper-port",
                        Integer.toString(freePort()),
                        "--heap",
                        options.heap())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("out.log").toFile());
        launcher.environment().put("FELICE_ETC", etc.toString());
        launcher.environment().put("FELICE_JAVA_OPTS", JVM_FLAGS + " -Xms" + options.heap());
        long began = System.nanoTime();
        Process process = mortal(launcher.start());
        return started("Felice", directory, List.of(process), port, sslPort, certificate, began);
    }

    private static String listeners(int port, int sslPort) {
        return "PLAINTEXT://127.0.0.1:" + port + ",SSL://127.0.0.1:" + sslPort;
    }

    /** Copies the configuration of the distribution, with other values for some keys of the network. */
    private static void writeEtc(Path from, Path to, Map<String, String> network) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
        Path config = to.resolve("io.felice.network.cfg");
        List<String> lines = Files.readAllLines(config);
        network.forEach(
                (key, value) -> lines.replaceAll(line -> line.startsWith(key + " =") ? key + " = " + value : line));
        Files.write(config, lines);
    }

    private static BenchedBroker started(
            String name,
            Path directory,
            List<Process> processes,
            int port,
            int sslPort,
            Certificate certificate,
            long began)
            throws InterruptedException {
        String bootstrap = "127.0.0.1:" + port;
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_WITHIN_SECONDS);
        awaitPort(port);
        while (System.nanoTime() < deadline) {
            try (Producer<byte[], byte[]> producer = new KafkaProducer<>(
                    Map.of("bootstrap.servers", bootstrap, "max.block.ms", 2_000, "reconnect.backoff.ms", 10),
                    new ByteArraySerializer(),
                    new ByteArraySerializer())) {
                producer.send(new ProducerRecord<>("first-record", new byte[100]))
                        .get();
                double seconds = (System.nanoTime() - began) / 1e9;
                BenchedBroker plain = new BenchedBroker(name, directory, processes, bootstrap, Map.of(), seconds);
                plain.encrypted = new BenchedBroker(
                        name, directory, processes, "127.0.0.1:" + sslPort, certificate.clientSettings(), seconds);
                return plain;
            } catch (ExecutionException | KafkaException notYet) {
                Thread.sleep(20);
            }
        }
        throw new IllegalStateException(name + " acknowledged no record within " + START_WITHIN_SECONDS + " s");
    }

    private static Process java(
            Options options, Path directory, String role, String classPath, String main, List<String> arguments)
            throws IOException {
        List<String> command =
                new ArrayList<>(List.of(ProcessHandle.current().info().command().orElse("java")));
        boolean isBroker = role.equals("broker");
        String heap = isBroker ? options.heap() : "256m";
        command.addAll(List.of("-Xmx" + heap, "-Xms" + heap, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"));
        if (isBroker) {
            command.addAll(List.of(JVM_FLAGS.split(" ")));
        }
        command.addAll(List.of("-cp", classPath, main));
        command.addAll(arguments);
        return mortal(new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve(role + ".log").toFile())
                .start());
    }

    private static Process mortal(Process process) {
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        return process;
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
     * The processor time that the broker and its child processes have used so far. Kafka's ZooKeeper is not counted.
     */
    Cpu cpu() {
        return ownProcesses().map(BenchedBroker::cpu).reduce(new Cpu(0, 0, 0), Cpu::plus);
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
        ProcessHandle main = processes.get(0).toHandle();
        return Stream.concat(Stream.of(main), main.descendants());
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
        for (Process process : processes) {
            process.destroy();
        }
        for (Process process : processes) {
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

    private static void store(Properties properties, Path file) throws IOException {
        try (var out = Files.newOutputStream(file)) {
            properties.store(out, null);
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static void awaitPort(int port) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_WITHIN_SECONDS);
        while (System.nanoTime() < deadline) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress("127.0.0.1", port), 1_000);
                return;
            } catch (IOException notYet) {
                Thread.sleep(10);
            }
        }
        throw new IllegalStateException("nothing listens on port " + port + " after " + START_WITHIN_SECONDS + " s");
    }
}
