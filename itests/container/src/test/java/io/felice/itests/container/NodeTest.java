package io.felice.itests.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Starts nodes as processes, from an installation in a path with a space, and uses them from outside. */
class NodeTest {

    @TempDir
    static Path installation;

    static Path home;

    @TempDir
    Path directory;

    private final List<Launcher> started = new ArrayList<>();

    @BeforeAll
    static void unpack() throws Exception {
        home = Archive.TAR_GZ.unpack(installation.resolve("with a space"));
    }

    @AfterEach
    void stopAll() throws Exception {
        for (Launcher launcher : started) {
            if (launcher.run("status").exitCode() != 3) {
                launcher.run("stop");
            }
        }
    }

    @Test
    void startsServesAndStopsWithoutChangingItsInstallation() throws Exception {
        Map<Path, FileTime> installed = filesIn(home);
        Launcher node = node("data with a space");
        int port = Ports.free();
        int zookeeperPort = Ports.free();
        int consolePort = Ports.free();

        Result start = node.listeningOn(port, zookeeperPort)
                .with("FELICE_CONSOLE_PORT", Integer.toString(consolePort))
                .run("start");

        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
        assertThat(start.output())
                .contains("127.0.0.1:" + port, node.data().toString(), "Ready after", "bin/felice stop");
        assertThat(node.run("status").exitCode()).isZero();
        assertThat(ListeningSockets.of(node.pid()))
                .as("the node listens only on the configured addresses")
                .containsExactlyInAnyOrder("loopback:" + port, "loopback:" + zookeeperPort, "loopback:" + consolePort);

        Result stop = node.run("stop");

        assertThat(stop).isEqualTo(new Result(0, "Felice stopped.\n"));
        assertThat(node.run("status").exitCode()).isEqualTo(3);
        assertThat(node.log()).doesNotContain(" ERROR ");
        assertThat(filesIn(home)).isEqualTo(installed);
    }

    @Test
    void startsFromTheZipAndCreatesTheEtcDirectoryThatIsSet() throws Exception {
        Path unzipped = Archive.ZIP.unpack(directory.resolve("a zip"));
        Path etc = directory.resolve("own etc");
        Launcher node =
                remember(Launcher.of(unzipped, directory.resolve("data"))).with("FELICE_ETC", etc.toString());

        Result start = node.listeningOn(Ports.free(), Ports.free()).run("start");

        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
        assertThat(etc.resolve("io.felice.zookeeper.cfg"))
                .hasSameTextualContentAs(unzipped.resolve("etc/io.felice.zookeeper.cfg"));
    }

    @Test
    void runsShellCommandsForItsOwnerAndRefusesASecondNodeOnItsData() throws Exception {
        Launcher node = node("data");
        Result start = node.listeningOn(Ports.free(), Ports.free()).run("start");
        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();

        Result list = node.run("exec", "bundle:list -t 50");
        Result unknown = node.run("exec", "felice:nonsense");
        Result mistyped = node.run("exec", "bundle:stop io.felice.shell nonsense");
        Result level = node.run("exec", "log:set debug io.felice.shell");
        Result loud = node.run("exec", "log:set LOUD");
        Result levels = node.run("exec", "log:get");
        Result second = node.listeningOn(Ports.free(), Ports.free()).run("start");

        assertThat(list.exitCode()).as(list.output()).isZero();
        assertThat(list.output()).contains("Felice API").doesNotContain("Installed", "Resolved", "Waiting");
        assertThat(unknown).isEqualTo(new Result(1, "Command not found: felice:nonsense\n"));
        assertThat(level.output()).startsWith("io.felice.shell logs at DEBUG from now on, until the node stops:");
        assertThat(home.resolve("etc/org.ops4j.pax.logging.cfg")).content().doesNotContain("io.felice.shell");
        assertThat(loud.exitCode()).isEqualTo(1);
        assertThat(loud.output()).startsWith("There is no log level LOUD.");
        assertThat(levels.output())
                .containsPattern("(?m)^ROOT +\\| INFO")
                .containsPattern("(?m)^io.felice.shell +\\| DEBUG");
        assertThat(mistyped).isEqualTo(new Result(1, "There is no bundle nonsense. Nothing was done.\n"));
        assertThat(second)
                .isEqualTo(new Result(1, "A node runs on " + node.data() + " already (process " + node.pid() + ").\n"));
    }

    @Test
    void servesFromANonAsciiPathInTheLocaleC() throws Exception {
        List<String> inTheLocaleC = List.of(
                "sh",
                "-c",
                "FELICE_DATA=$(printf '%s/d\\303\\244t\\303\\244' \"$FELICE_DATA\") LC_ALL=C exec \"$@\"",
                "sh");
        Launcher node = node("data").listeningOn(Ports.free(), Ports.free()).under(inTheLocaleC);

        Result start = node.run("start");

        assertThat(start.exitCode()).as(start.output()).isZero();
        assertThat(node.run("exec", "felice:status", "health").exitCode()).isZero();
        assertThat(node.run("stop")).isEqualTo(new Result(0, "Felice stopped.\n"));
    }

    @Test
    void statusChecksEveryListenerAndReportsANodeThatDoesNotServe() throws Exception {
        Etc etc = ownEtc();
        etc.set(
                "io.felice.network.cfg",
                "listeners",
                "INSIDE://127.0.0.1:" + Ports.free() + ",OUTSIDE://127.0.0.1:" + Ports.free());
        etc.set("io.felice.network.cfg", "listener.security.protocol.map", "INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT");
        Launcher node = node("data").with("FELICE_ETC", etc.toString()).listeningOn(Ports.free(), Ports.free());
        Result start = node.run("start");
        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
        assertThat(node.run("status").exitCode()).isZero();

        node.exec("bundle:stop io.felice.broker");
        Result without = node.run("status");
        node.exec("bundle:start io.felice.broker");

        assertThat(without.exitCode()).as(without.output()).isEqualTo(4);
        Eventually.await("serving again", () -> node.run("status").exitCode() == 0);
    }

    @Test
    void threeNodesRunSideBySide() throws Exception {
        for (String name : List.of("one", "two", "three")) {
            Result start = node(name).listeningOn(Ports.free(), Ports.free()).run("start");

            assertThat(start.exitCode()).as(start.output()).isZero();
        }

        for (Launcher node : started) {
            assertThat(node.run("status").exitCode()).isZero();
        }
    }

    @Test
    void runsInTheForegroundUntilCtrlC() throws Exception {
        Launcher node = node("data");
        Path output = directory.resolve("output");
        Process terminal = node.listeningOn(Ports.free(), Ports.free()).spawn(output, "run");
        Eventually.await("the start", () -> Files.readString(output).contains("Stop: Ctrl-C") || !terminal.isAlive());

        Launcher.pressCtrlC(terminal);

        assertThat(terminal.waitFor(2, TimeUnit.MINUTES)).isTrue();
        assertThat(Files.readString(output)).endsWith("Felice stopped.\n");
        assertThat(terminal.exitValue()).isZero();
        assertThat(node.run("status").exitCode()).isEqualTo(3);
    }

    @Test
    void reportsThatItsPortIsTaken() throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            Launcher node = node("data").listeningOn(other.getLocalPort(), Ports.free());

            Result start = node.run("start");

            assertThat(reason(start)).contains("127.0.0.1:" + other.getLocalPort(), "taken", "--port");
            assertThat(node.run("status").exitCode()).isEqualTo(3);
        }
    }

    @Test
    void refusesAnIllegalValueAndNamesTheFile() throws Exception {
        Etc etc = ownEtc();
        etc.set("io.felice.storage.log.cfg", "tail.bytes", "512K");
        Launcher node = node("data").with("FELICE_ETC", etc.toString()).listeningOn(Ports.free(), Ports.free());

        Result start = node.run("start");

        assertThat(reason(start))
                .isEqualTo("Felice cannot start: "
                        + etc.file("io.felice.storage.log.cfg").toRealPath()
                        + ": tail.bytes is \"512K\", but it must be a whole number from 32768 to 2147483647.");
        assertThat(withoutEventsOfStopping(node.log()))
                .as("a log without stack traces")
                .doesNotContain("\tat ", "Exception");
        assertThat(node.run("status").exitCode()).isEqualTo(3);
    }

    /**
     * Removes the framework's stack traces: it logs one if it delivers an event to a bundle that has already stopped
     * while the node stops.
     */
    private static String withoutEventsOfStopping(String log) {
        return log.replaceAll("(?m)^.*Error during dispatch.*Invalid BundleContext.*\\R(?:(?!\\d{4}-).*\\R?)*+", "");
    }

    @Test
    void refusesABrokerIdOutOfRangeInsteadOfUsingTheDefault() throws Exception {
        Launcher node = node("data").listeningOn(Ports.free(), Ports.free()).with("FELICE_BROKER_ID", "-1");

        Result start = node.run("start");

        assertThat(reason(start)).contains("io.felice.broker.cfg: broker.id is \"-1\"");
        assertThat(node.data().resolve("broker/felice.properties")).doesNotExist();
    }

    @Test
    void servesInPartWithoutTheEngineThatNewTopicsNeed() throws Exception {
        Etc etc = ownEtc();
        etc.add("io.felice.broker.cfg", "storage.placement = *:tape");
        Launcher node = node("data").with("FELICE_ETC", etc.toString()).listeningOn(Ports.free(), Ports.free());

        Result start = node.run("start");

        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
        assertThat(start.output())
                .contains("Serves in part", "storage.placement = *:tape", "log, memory", "io.felice.broker.cfg");
        assertThat(node.log()).doesNotContain("Ready:");
        assertThat(node.run("status").exitCode()).isEqualTo(6);
    }

    @Test
    void aRunningNodeKeepsTheLastGoodValuesWhenAFileGetsBadValues() throws Exception {
        Etc etc = ownEtc();
        Launcher node = node("data").with("FELICE_ETC", etc.toString()).listeningOn(Ports.free(), Ports.free());
        Result start = node.run("start");
        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();

        etc.add("io.felice.broker.cfg", "num.partitions = x", "num.partition = 3");
        etc.set("io.felice.controller.cfg", "request.timeout.ms", "-5");
        etc.set("io.felice.storage.log.cfg", "tail.bytes", "1048576");

        Eventually.await(
                "reading the files",
                () -> node.log().contains("num.partitions is \"x\", but it must be a whole number from 1")
                        && node.log().contains("request.timeout.ms is \"-5\"")
                        && node.log().contains("It stays 15000 until the value is corrected.")
                        && node.log().contains("tail.bytes stays \"524288\" and becomes \"1048576\""));
        assertThat(node.log())
                .contains("num.partition is no setting and is ignored. Did you mean num.partitions?")
                .doesNotContain(" ERROR ", "Broker 0 is stopping");
        assertThat(node.exec("log:set debug io.felice.shell").output())
                .startsWith("io.felice.shell logs at DEBUG from now on, also after a restart:");
        Eventually.await("writing it", () -> Files.readString(etc.file("org.ops4j.pax.logging.cfg"))
                .contains("io.felice.shell"));
        assertThat(node.run("status").exitCode()).isZero();
    }

    @Test
    void aRefreshOfTheApiKeepsTheLastGoodValuesWhileAFileHasBadValues() throws Exception {
        Etc etc = ownEtc();
        etc.add("io.felice.broker.cfg", "storage.placement = *:memory");
        Launcher node = node("data").with("FELICE_ETC", etc.toString()).listeningOn(Ports.free(), Ports.free());
        Result start = node.run("start");
        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
        etc.set("io.felice.broker.cfg", "storage.placement", "nonsense");
        etc.set("io.felice.storage.log.cfg", "tail.bytes", "512K");
        Eventually.await(
                "reading the files",
                () -> node.log().contains("storage.placement is \"nonsense\"")
                        && node.log().contains("tail.bytes is \"512K\""));

        node.exec("bundle:refresh io.felice.api");

        Eventually.await(
                "being ready again",
                () -> node.log().contains("Broker 0 is stopping")
                        && node.log().lastIndexOf(" Ready: ") > node.log().lastIndexOf("Broker 0 is stopping")
                        && node.run("status").exitCode() == 0);
        assertThat(node.log())
                .contains(
                        "It stays *:memory until the value is corrected.",
                        "It stays 524288 until the value is corrected.")
                .doesNotContain("The default applies");
    }

    @Test
    void reportsTheMistakesOfAllFilesAtOnceAndAFileThatBelongsToNoBundle() throws Exception {
        Etc etc = ownEtc();
        etc.add("io.felice.broker.cfg", "storage.placement = nonsense");
        etc.set("io.felice.network.cfg", "num.network.threads", "many");
        Files.writeString(etc.file("io.felice.brokr.cfg"), "num.partitions = 3\n");
        Launcher node = node("data").with("FELICE_ETC", etc.toString()).listeningOn(Ports.free(), Ports.free());

        Result start = node.run("start");

        assertThat(reason(start))
                .contains(
                        "io.felice.broker.cfg: storage.placement is \"nonsense\", but it must be pattern:engine pairs")
                .contains("io.felice.network.cfg: num.network.threads is \"many\"");
        assertThat(node.log())
                .contains(
                        "io.felice.brokr.cfg does not have the name of an installed bundle",
                        "Did you mean io.felice.broker.cfg?");
    }

    private Etc ownEtc() throws IOException {
        return Etc.of(home, directory.resolve("etc"));
    }

    @Test
    void refusesDataOfANewerFormatOrOfAnotherNode() throws Exception {
        Launcher node = node("data").listeningOn(Ports.free(), Ports.free());
        node.run("start");
        node.run("stop");
        Path identity = node.data().resolve("broker/felice.properties");
        String written = Files.readString(identity);

        Result another = node.with("FELICE_BROKER_ID", "5").run("start");
        Files.writeString(identity, written.replaceFirst("format\\.version=\\d+", "format.version=99"));
        Result newer = node.run("start");

        assertThat(reason(another)).contains(node.data().toString(), "0", "5");
        assertThat(reason(newer)).contains(node.data().toString(), "99");
    }

    @Test
    void startsAgainFromItsCacheAfterItWasKilled() throws Exception {
        Launcher node = node("data").listeningOn(Ports.free(), Ports.free());
        node.run("start");
        Map<Path, FileTime> cached = filesIn(node.data().resolve("karaf/cache"));
        cached.keySet().removeIf(file -> !file.endsWith("bundle.jar"));
        ProcessHandle.of(node.pid()).orElseThrow().destroyForcibly();
        Eventually.await("the end", () -> node.run("status").exitCode() == 3);

        Result start = node.run("start");

        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
        assertThat(cached).isNotEmpty();
        assertThat(filesIn(node.data().resolve("karaf/cache")))
                .as("the bundles are those of the first start")
                .containsAllEntriesOf(cached);
        assertThat(node.log().lines().filter(line -> line.contains(" ERROR ")))
                .as("what was said of the kill only")
                .allMatch(line -> line.contains("The node was killed with signal 9"))
                .hasSize(1);
    }

    @Test
    void endsWithADumpAndALastLineWhenItsHeapIsUsedUp() throws Exception {
        int port = Ports.free();
        Launcher node = node("data").listeningOn(port, Ports.free()).with("FELICE_HEAP", "48m");
        Result start = node.run("start");
        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();

        fillTheHeap("127.0.0.1:" + port);

        Eventually.await("the end", () -> node.run("status").exitCode() == 3);
        Path dump = node.data().resolve("log/heap.hprof.gz");
        assertThat(node.log().stripTrailing().lines().reduce((first, last) -> last))
                .get()
                .asString()
                .contains(" ERROR launcher ")
                .endsWith(
                        "The node has ended: its Java heap of 48m is used up. Start it again with a larger one: --heap"
                                + " SIZE, or FELICE_HEAP. What used the heap is in " + dump + "; it contains records.");
        try (var gzip = new GZIPInputStream(Files.newInputStream(dump))) {
            assertThat(new String(gzip.readNBytes(12), UTF_8)).isEqualTo("JAVA PROFILE");
        }
    }

    @Test
    void saysThatItCannotStartForWantOfDirectMemory() throws Exception {
        Launcher node = node("data").listeningOn(Ports.free(), Ports.free()).with("FELICE_DIRECT_MEMORY", "512k");
        Path output = directory.resolve("output");
        Process start = node.spawn(output, "start");

        Eventually.await("the reason", () -> Files.readString(output).contains("  - Direct memory is used up: "));

        assertThat(node.run("status").exitCode()).isEqualTo(4);
        node.run("stop");
        assertThat(start.waitFor()).as(Files.readString(output)).isEqualTo(1);
        assertThat(Files.readString(output)).contains("FELICE_DIRECT_MEMORY", "The node was stopped.");
    }

    /** The engine that keeps records on the heap may have more of them than this heap has room for. */
    private static void fillTheHeap(String bootstrap) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
                KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                        SingleAttempts.settings(bootstrap), new ByteArraySerializer(), new ByteArraySerializer())) {
            NewTopic inMemory = new NewTopic("in-memory", 1, (short) 1).configs(Map.of("storage.engine", "memory"));
            admin.createTopics(List.of(inMemory)).all().get();
            assertThatThrownBy(() -> {
                        for (int megabytes = 0; megabytes < 200; megabytes++) {
                            producer.send(new ProducerRecord<>("in-memory", new byte[1_000_000]))
                                    .get();
                        }
                    })
                    .as("the node ends")
                    .isInstanceOf(ExecutionException.class);
        }
    }

    /** The last line of a failed start, with the reason. */
    private static String reason(Result start) {
        assertThat(start.exitCode()).as(start.output()).isEqualTo(1);
        List<String> lines = start.output()
                .lines()
                .filter(line -> !line.startsWith("Waiting, for ") && !line.startsWith("  - "))
                .toList();
        assertThat(lines).as(start.output()).hasSize(2);
        assertThat(lines.get(1)).startsWith("Felice cannot start: ");
        return lines.get(1);
    }

    private Launcher node(String name) {
        return remember(Launcher.of(home, directory.resolve(name)));
    }

    private Launcher remember(Launcher launcher) {
        started.add(launcher);
        return launcher;
    }

    private static Map<Path, FileTime> filesIn(Path home) throws IOException {
        Map<Path, FileTime> files = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(home)) {
            for (Path path : paths.toList()) {
                files.put(path, Files.getLastModifiedTime(path));
            }
        }
        return files;
    }
}
