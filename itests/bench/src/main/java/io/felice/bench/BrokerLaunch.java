package io.felice.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * How brokers of Apache Kafka and of Felice are started: one broker, or a cluster of {@link Options#brokers} whose
 * ZooKeeper is a process of its own. Both get the same heap and the same flags of the JVM.
 */
final class BrokerLaunch {
    private static final long START_WITHIN_SECONDS = 120;
    private static final String CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk";
    private static final String JVM_FLAGS = "-XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35"
            // If a compiler thread ended, its processor time could no longer be read.
            + " -XX:-UseDynamicNumberOfCompilerThreads";

    private final Options options;
    private final Certificate certificate;
    private final Path directory;
    private final List<Integer> ports = new ArrayList<>();
    private final List<Integer> sslPorts = new ArrayList<>();
    private final List<Process> others = new ArrayList<>();
    private int zooKeeperPort;

    private BrokerLaunch(Options options, Certificate certificate, Path directory) throws IOException {
        this.options = options;
        this.certificate = certificate;
        this.directory = directory;
        Files.createDirectories(directory);
        for (int broker = 0; broker < options.brokers(); broker++) {
            ports.add(freePort());
            sslPorts.add(freePort());
        }
    }

    static BenchedBroker kafka(Options options, Certificate certificate, Path directory)
            throws IOException, InterruptedException {
        return new BrokerLaunch(options, certificate, directory).kafka();
    }

    static BenchedBroker felice(Options options, Certificate certificate, Path directory)
            throws IOException, InterruptedException {
        return new BrokerLaunch(options, certificate, directory).felice();
    }

    private BenchedBroker kafka() throws IOException, InterruptedException {
        List<Integer> controllers = new ArrayList<>();
        for (int broker = 0; options.kraft() && broker < options.brokers(); broker++) {
            controllers.add(freePort());
        }
        long began = System.nanoTime();
        int zooKeeper = options.kraft() ? 0 : zooKeeper();
        List<ProcessBuilder> commands = new ArrayList<>();
        for (int broker = 0; broker < options.brokers(); broker++) {
            Path config = directory.resolve("server-" + broker + ".properties");
            store(kafkaProperties(broker, controllers, zooKeeper), config);
            if (options.kraft()) {
                java("format", "256m", "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", config.toString())
                        .start()
                        .waitFor();
                began = System.nanoTime();
            }
            commands.add(java("broker-" + broker, options.heap(), "kafka.Kafka", config.toString()));
        }
        return started("Apache Kafka", commands, began);
    }

    private Properties kafkaProperties(int broker, List<Integer> controllers, int zooKeeper) {
        Properties server = new Properties();
        server.setProperty("log.dirs", directory.resolve("logs-" + broker).toString());
        server.setProperty("ssl.keystore.type", "PKCS12");
        server.setProperty("ssl.keystore.location", certificate.keyStore().toString());
        server.setProperty("ssl.keystore.password", Certificate.PASSWORD);
        server.setProperty("offsets.topic.replication.factor", Integer.toString(options.brokers()));
        server.setProperty("transaction.state.log.replication.factor", Integer.toString(options.brokers()));
        server.setProperty("transaction.state.log.min.isr", "1");
        if (options.kraft()) {
            server.setProperty("process.roles", "broker,controller");
            server.setProperty("node.id", Integer.toString(broker + 1));
            server.setProperty(
                    "controller.quorum.voters",
                    String.join(
                            ",",
                            IntStream.range(0, controllers.size())
                                    .mapToObj(id -> id + 1 + "@127.0.0.1:" + controllers.get(id))
                                    .toList()));
            server.setProperty("controller.listener.names", "CONTROLLER");
            server.setProperty("listeners", listeners(broker) + ",CONTROLLER://127.0.0.1:" + controllers.get(broker));
            server.setProperty("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT");
        } else {
            server.setProperty("broker.id", Integer.toString(broker + 1));
            server.setProperty("listeners", listeners(broker));
            server.setProperty("zookeeper.connect", "127.0.0.1:" + zooKeeper);
        }
        return server;
    }

    private BenchedBroker felice() throws IOException, InterruptedException {
        long began = System.nanoTime();
        boolean isCluster = options.brokers() > 1;
        int zooKeeper = isCluster ? zooKeeper() : freePort();
        Path secret = Files.writeString(directory.resolve("secret"), "secret-of-the-bench");
        List<ProcessBuilder> commands = new ArrayList<>();
        for (int broker = 0; broker < options.brokers(); broker++) {
            Path etc = directory.resolve("etc-" + broker);
            writeEtc(
                    options.felice().resolve("etc"),
                    etc,
                    Map.of(
                            "listeners",
                            listeners(broker),
                            "ssl.keystore.location",
                            certificate.keyStore().toString(),
                            "ssl.keystore.password",
                            Certificate.PASSWORD));
            List<String> command =
                    new ArrayList<>(List.of(options.felice().toAbsolutePath() + "/bin/felice", "run", "--data"));
            command.add(directory.resolve("data-" + broker).toString());
            command.addAll(List.of(
                    "--console-port", "-1", "--port", Integer.toString(ports.get(broker)), "--heap", options.heap()));
            if (isCluster) {
                command.addAll(List.of("--broker-id", Integer.toString(broker + 1)));
                command.addAll(List.of("--zookeeper", "127.0.0.1:" + zooKeeper));
            } else {
                command.addAll(List.of("--zookeeper-port", Integer.toString(zooKeeper)));
            }
            ProcessBuilder builder = logging(new ProcessBuilder(command), "broker-" + broker);
            builder.environment().put("FELICE_ETC", etc.toString());
            builder.environment().put("FELICE_JAVA_OPTS", JVM_FLAGS + " -Xms" + options.heap());
            if (isCluster) {
                builder.environment().put("FELICE_ZOOKEEPER_SECRET", secret.toString());
            }
            commands.add(builder);
        }
        return started("Felice", commands, began);
    }

    /** Starts a ZooKeeper in a process of its own. Returns its port. */
    private int zooKeeper() throws IOException, InterruptedException {
        int port = freePort();
        Properties zooKeeper = new Properties();
        zooKeeper.setProperty("dataDir", directory.resolve("zookeeper").toString());
        zooKeeper.setProperty("clientPort", Integer.toString(port));
        zooKeeper.setProperty("clientPortAddress", "127.0.0.1");
        zooKeeper.setProperty("admin.enableServer", "false");
        zooKeeper.setProperty("4lw.commands.whitelist", "mntr");
        Path config = directory.resolve("zookeeper.properties");
        store(zooKeeper, config);
        others.add(BenchedBroker.mortal(
                java("zookeeper", "256m", "org.apache.zookeeper.server.quorum.QuorumPeerMain", config.toString())
                        .start()));
        awaitPort(port);
        zooKeeperPort = port;
        return port;
    }

    private String listeners(int broker) {
        return "PLAINTEXT://127.0.0.1:" + ports.get(broker) + ",SSL://127.0.0.1:" + sslPorts.get(broker);
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

    private BenchedBroker started(String name, List<ProcessBuilder> commands, long began)
            throws IOException, InterruptedException {
        List<Process> processes = new ArrayList<>();
        for (ProcessBuilder command : commands) {
            processes.add(BenchedBroker.mortal(command.start()));
        }
        for (int port : ports) {
            awaitPort(port);
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_WITHIN_SECONDS);
        while (System.nanoTime() < deadline) {
            if (isReady()) {
                double seconds = (System.nanoTime() - began) / 1e9;
                return new BenchedBroker(
                        name,
                        commands,
                        processes,
                        others,
                        zooKeeperPort,
                        bootstrap(ports),
                        certificate.clientSettings(),
                        bootstrap(sslPorts),
                        seconds);
            }
            Thread.sleep(20);
        }
        throw new IllegalStateException(name + " acknowledged no record within " + START_WITHIN_SECONDS + " s");
    }

    private boolean isReady() throws InterruptedException {
        Map<String, Object> settings =
                Map.of("bootstrap.servers", bootstrap(ports), "max.block.ms", 2_000, "reconnect.backoff.ms", 10);
        try (Admin admin = Admin.create(settings);
                Producer<byte[], byte[]> producer =
                        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            boolean areAllThere = admin.describeCluster().nodes().get().size() == options.brokers();
            producer.send(new ProducerRecord<>("first-record", new byte[100])).get();
            return areAllThere;
        } catch (ExecutionException | KafkaException notYet) {
            return false;
        }
    }

    private static String bootstrap(List<Integer> ports) {
        return String.join(",", ports.stream().map(port -> "127.0.0.1:" + port).toList());
    }

    private ProcessBuilder java(String role, String heap, String main, String... arguments) {
        List<String> command =
                new ArrayList<>(List.of(ProcessHandle.current().info().command().orElse("java")));
        command.addAll(List.of("-Xmx" + heap, "-Xms" + heap, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"));
        if (role.startsWith("broker")) {
            command.addAll(List.of(JVM_FLAGS.split(" ")));
        }
        command.addAll(List.of("-cp", options.kafka().toAbsolutePath() + "/*", main));
        Collections.addAll(command, arguments);
        return logging(new ProcessBuilder(command), role);
    }

    private ProcessBuilder logging(ProcessBuilder command, String role) {
        return command.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve(role + ".log").toFile()));
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
