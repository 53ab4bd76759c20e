package io.felice.itests.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A node of the distribution, on free ports. The built archive is unpacked once into {@code target/distribution}; a node may
 * have another installation.
 */
public final class DistributionNode implements Mortal {
    private static final Path ARCHIVES = Path.of("../../distribution/target");
    private static final Path UNPACKED = Path.of("target/distribution").toAbsolutePath();

    /** Null until somebody asks. */
    private static Path built;

    private final Path data;
    private final Map<String, String> environment;
    private final int port;
    private final Optional<Integer> openFiles;
    /** Null for the built distribution. */
    private Path installation;

    private DistributionNode(Path data, Map<String, String> environment, int port, Optional<Integer> openFiles) {
        this.data = data;
        this.environment = environment;
        this.port = port;
        this.openFiles = openFiles;
    }

    /** A node that is not started yet. */
    public static DistributionNode in(Path data) {
        return in(data, Optional.empty());
    }

    /** A node that is not started yet. Its process may have at most {@code most} open files, with connections. */
    public static DistributionNode withOpenFiles(int most, Path data) {
        return in(data, Optional.of(most));
    }

    /** A node that is not started yet, with so much heap: {@code 256m}. */
    public static DistributionNode withHeap(String heap, Path data) {
        return in(data, Optional.empty(), heap, "");
    }

    /** The second stage of the compiler takes more time than a short test gets back. */
    private static DistributionNode in(Path data, Optional<Integer> openFiles) {
        return in(data, openFiles, "512m", "-XX:TieredStopAtLevel=1");
    }

    private static DistributionNode in(Path data, Optional<Integer> openFiles, String heap, String options) {
        return in(data, openFiles, heap, options, Map.of("FELICE_ZOOKEEPER_PORT", Integer.toString(freePort())));
    }

    /**
     * A broker of a cluster that is not started yet.
     *
     * @param zookeeper the addresses of the servers
     * @param secret the file that all brokers of the cluster have in common
     */
    static DistributionNode ofCluster(int id, Path data, String zookeeper, Path secret) {
        return in(
                data,
                Optional.empty(),
                "256m",
                "-XX:TieredStopAtLevel=1 -XX:-UseG1GC -XX:+UseSerialGC",
                Map.of(
                        "FELICE_BROKER_ID",
                        Integer.toString(id),
                        "FELICE_ZOOKEEPER",
                        zookeeper,
                        "FELICE_ZOOKEEPER_SECRET",
                        secret.toString()));
    }

    private static DistributionNode in(
            Path data, Optional<Integer> openFiles, String heap, String options, Map<String, String> more) {
        int port = freePort();
        Map<String, String> environment = new HashMap<>(more);
        environment.putAll(Map.of(
                "FELICE_DATA",
                data.resolve("data").toString(),
                "FELICE_ETC",
                data.resolve("etc").toString(),
                "FELICE_PORT",
                Integer.toString(port),
                "FELICE_CONSOLE_PORT",
                "0",
                "FELICE_HEAP",
                heap,
                "FELICE_JAVA_OPTS",
                options));
        return new DistributionNode(data, environment, port, openFiles);
    }

    /** The next start is that of this unpacked archive. */
    void install(Path home) {
        installation = home;
    }

    /** Writes a configuration file of a node that is not started yet. Settings that it does not name are the defaults. */
    public void configure(String pid, Map<String, String> settings) {
        try {
            List<String> lines = settings.entrySet().stream()
                    .map(setting -> setting.getKey() + " = " + setting.getValue())
                    .toList();
            Files.createDirectories(data.resolve("etc"));
            Files.write(data.resolve("etc").resolve(pid + ".cfg"), lines);
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    @Override
    public String bootstrap() {
        return "127.0.0.1:" + port;
    }

    @Override
    public void start() {
        felice("start");
    }

    public void stop() {
        felice("stop");
    }

    @Override
    public void kill() {
        kill(process().orElseThrow(() -> new AssertionError("the node ended by itself")));
    }

    public boolean isRunning() {
        return process().isPresent();
    }

    /** What the node has logged. */
    public String log() {
        try {
            Path log = data.resolve("data/log/felice.log");
            return Files.exists(log) ? Files.readString(log) : "";
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    public void killIfRunning() {
        process().ifPresent(DistributionNode::kill);
    }

    private static void kill(ProcessHandle process) {
        process.destroyForcibly();
        process.onExit().join();
    }

    /**
     * Starts the node and kills it {@code afterMs} milliseconds after its process began. By then the node may serve.
     */
    public void killDuringStart(long afterMs) {
        Path pid = data.resolve("data/felice.pid");
        Path said = Programs.temporary("start");
        try {
            Files.deleteIfExists(pid);
            ProcessBuilder builder = new ProcessBuilder(line("start")).directory(data.toFile());
            builder.environment().putAll(environment);
            Process launcher = builder.redirectErrorStream(true)
                    .redirectOutput(said.toFile())
                    .start();
            while (Files.notExists(pid) || Files.readString(pid).isBlank()) {
                if (!launcher.isAlive()) {
                    throw new AssertionError("the node did not start: " + Files.readString(said));
                }
                Thread.sleep(10);
            }
            Optional<ProcessHandle> process = process();
            Thread.sleep(afterMs);
            process.ifPresent(DistributionNode::kill);
            launcher.onExit().join();
        } catch (IOException | InterruptedException failure) {
            throw new AssertionError(failure);
        }
    }

    /** What a command of the node's console prints. */
    public String exec(String command) {
        return Programs.run(List.of(launcher().toString(), "exec", command), data, environment);
    }

    /** Runs a command that may end the console before the command has ended. */
    public void execToTheLast(String command) {
        List<String> line =
                List.of("sh", "-c", "\"$0\" exec \"$1\" || true", launcher().toString(), command);
        Programs.run(line, data, environment);
    }

    @Override
    public void close() {
        process().ifPresent(running -> stop());
    }

    private Optional<ProcessHandle> process() {
        Path pid = data.resolve("data/felice.pid");
        try {
            return Files.exists(pid)
                    ? ProcessHandle.of(Long.parseLong(Files.readString(pid).trim()))
                    : Optional.empty();
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    private void felice(String command) {
        Programs.run(line(command), data, environment);
    }

    private List<String> line(String command) {
        String launcher = launcher().toString();
        return openFiles
                .map(most -> List.of("sh", "-c", "ulimit -n " + most + " && exec \"$0\" \"$1\"", launcher, command))
                .orElseGet(() -> List.of(launcher, command));
    }

    private Path launcher() {
        return (installation == null ? built() : installation).resolve("bin/felice");
    }

    /** The installation of the archive that was the last one built when this process asked first. */
    public static synchronized Path built() {
        if (built == null) {
            built = unpack(lastBuilt());
        }
        return built;
    }

    private static Path lastBuilt() {
        try (Stream<Path> files = Files.list(ARCHIVES)) {
            return files.filter(file -> file.toString().endsWith(".tar.gz"))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError(ARCHIVES + " has no archive: run ./dev build first"));
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    /** The installation of an archive, below {@code target/distribution}. An archive is unpacked again if it has changed. */
    public static Path unpack(Path archive) {
        Path home = UNPACKED.resolve(archive.getFileName().toString().replace(".tar.gz", ""));
        Path mark = home.resolve("VERSION");
        MadeOnce.in(UNPACKED, () -> {
            if (!Files.exists(mark) || isOlder(mark, archive)) {
                Programs.run(List.of("rm", "-rf", home.toString()), Path.of("."));
                Files.createDirectories(home);
                Programs.run(
                        List.of("tar", "xzf", archive.toString(), "-C", home.toString(), "--strip-components=1"),
                        Path.of("."));
                Programs.run(List.of("touch", mark.toString()), Path.of("."));
            }
        });
        return home;
    }

    private static boolean isOlder(Path file, Path than) throws IOException {
        return Files.getLastModifiedTime(file).compareTo(Files.getLastModifiedTime(than)) < 0;
    }

    public static int freePort() {
        return Ports.free();
    }
}
