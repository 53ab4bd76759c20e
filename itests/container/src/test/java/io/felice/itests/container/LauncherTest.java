package io.felice.itests.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The output and the exit code of the launcher when it does not start a node. */
class LauncherTest {

    @TempDir
    static Path installation;

    static Path home;

    @TempDir
    Path directory;

    @BeforeAll
    static void unpack() throws Exception {
        home = Archive.TAR_GZ.unpack(installation.resolve("with a space"));
    }

    @Test
    void printsItsVersion() throws Exception {
        Result result = launcher().run("version");

        assertThat(result).isEqualTo(new Result(0, "Felice " + Archive.version() + "\n"));
    }

    @Test
    void printsHelpWithoutACommand() throws Exception {
        Result result = launcher().run();

        assertThat(result.exitCode()).isZero();
        assertThat(result.output()).contains("run", "start", "stop", "status", "Exit codes");
    }

    @Test
    void refusesUnknownCommandsOptionsAndValues() throws Exception {
        assertThat(launcher().run("begin").exitCode()).isEqualTo(2);
        assertThat(launcher().run("start", "--fast").exitCode()).isEqualTo(2);
        assertThat(launcher().run("start", "--port", "many").exitCode()).isEqualTo(2);
        assertThat(launcher().run("start", "--port", "65536").exitCode()).isEqualTo(2);
        assertThat(launcher().run("start", "--data").exitCode()).isEqualTo(2);
        assertThat(launcher().run("run", "--log", "LOUD").exitCode()).isEqualTo(2);
        assertThat(launcher().with("FELICE_LOG_LEVEL", "LOUD").run("start").exitCode())
                .isEqualTo(2);
    }

    @Test
    void ignoresAnIllegalLogLevelUnlessItStartsANode() throws Exception {
        Launcher launcher = launcher().with("FELICE_LOG_LEVEL", "LOUD");

        assertThat(launcher.run("status").exitCode()).isEqualTo(3);
        assertThat(launcher.run("stop").exitCode()).isEqualTo(3);
        assertThat(launcher.run("exec", "felice:status").exitCode()).isEqualTo(3);
    }

    @Test
    void saysThatNoNodeRuns() throws Exception {
        Result status = launcher().run("status");
        Result stop = launcher().run("stop");

        assertThat(status.exitCode()).isEqualTo(3);
        assertThat(status.output()).isEqualTo("No Felice node runs on " + directory + ".\n");
        assertThat(stop).isEqualTo(status);
    }

    @Test
    void everyCommandPrintsHelp() throws Exception {
        Result help = launcher().run("help");

        for (String command :
                List.of("run", "start", "stop", "status", "exec", "invite", "join", "doctor", "zookeeper")) {
            assertThat(launcher().run(command, "--help")).isEqualTo(help);
            assertThat(launcher().run(command, "-h")).isEqualTo(help);
        }
    }

    @Test
    void refusesAnEmptyValue() throws Exception {
        assertThat(launcher().run("start", "--data", ""))
                .isEqualTo(new Result(2, "--data needs a value. Try: felice help\n"));
        assertThat(launcher().run("start", "--heap=").exitCode()).isEqualTo(2);
    }

    @Test
    void showsWhyJavaRefusesAnOption() throws Exception {
        Result result = launcher().run("start", "--heap", "lots");

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.output())
                .contains("Invalid initial heap size: -Xmslots\n", "Felice ended while it was starting");
    }

    @Test
    void runsInADirectoryThatWasDeleted() throws Exception {
        Path doomed = directory.resolve("doomed");
        Launcher launcher = launcher()
                .with("FELICE_MIN_FREE_MB", "999999999")
                .under(List.of(
                        "sh",
                        "-c",
                        "mkdir -p \"$1\" && cd \"$1\" && rmdir \"$1\" && shift && exec \"$@\"",
                        "sh",
                        doomed.toString()));

        assertThat(launcher.run("start").output()).contains("The disk is full").doesNotContain("does not run");
        assertThat(launcher.run("status", "--data", "relative").output())
                .contains("The working directory was deleted. Give an absolute path instead of 'relative'.");
    }

    @Test
    void reportsADataDirectoryOfAnotherUser() throws Exception {
        Path data = Files.createDirectory(directory.resolve("theirs"));
        Files.createFile(data.resolve("felice.lock"));
        for (Path seen : List.of(installation, home.getParent(), directory)) {
            Files.setPosixFilePermissions(seen, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("---------"));
        Launcher launcher = Launcher.of(home, data).under(asAnybody());

        Result status = launcher.run("status");

        assertThat(status.exitCode()).isEqualTo(1);
        assertThat(status.output())
                .startsWith("The data directory " + data + " belongs to the user ")
                .contains("cannot look into it");
    }

    /** A command that runs the launcher as another user if this user is root, because root may read all directories. */
    private static List<String> asAnybody() {
        return List.of(
                "sh",
                "-c",
                "if [ \"$(id -u)\" = 0 ]; then exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"; fi; exec \"$@\"",
                "sh");
    }

    @Test
    void refusesAnOldJava() throws Exception {
        Path java = program("java", "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2");

        Result result = launcher().with("JAVA", java.toString()).run("start");

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.output())
                .isEqualTo("Felice needs Java 17 or newer, and " + java
                        + " is Java 11.0.2. Set JAVA_HOME to a newer one.\n");
    }

    @Test
    void refusesAProgramThatIsNotJava() throws Exception {
        Result result = launcher().with("JAVA", "/bin/false").run("run");

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.output()).isEqualTo("Felice needs Java 17 or newer, and /bin/false does not run as one.\n");
    }

    @Test
    void keepsTheCacheOfBundlesForTheSameJavaAndBuildAndDropsItForOthers() throws Exception {
        Path own = Files.createDirectory(directory.resolve("installation"));
        Path build = Archive.TAR_GZ.unpack(own);
        Launcher launcher = Launcher.of(build, directory.resolve("data"))
                .with("JAVA", javaThatEnds("17.0.1", 1).toString());
        launcher.run("start");
        Path cached = Files.createDirectories(launcher.data().resolve("karaf/cache/bundle1"));

        launcher.run("start");
        assertThat(cached).as("the same Java and build").exists();

        javaThatEnds("21.0.1", 1);
        launcher.run("start");
        assertThat(cached).as("another Java").doesNotExist();

        Files.createDirectories(cached);
        Path bundle = build.resolve("lib/boot");
        Files.writeString(bundle.resolve("another-build.jar"), "");
        launcher.run("start");
        assertThat(cached).as("another build").doesNotExist();
    }

    @Test
    void hasTheLastWordInTheLogOfANodeThatDidNotStopInOrder() throws Exception {
        String exhausted = lastWordsAfter(3);
        assertThat(exhausted)
                .contains(" ERROR launcher ", "its Java heap of 192m is used up", "--heap SIZE, or FELICE_HEAP")
                .contains("There is no dump of the heap");
        assertThat(lastWordsAfter(134)).contains("Java crashed", "java-crash-*.log");
        assertThat(lastWordsAfter(137)).contains("killed with signal 9", "dmesg");
        assertThat(lastWordsAfter(9)).contains("has ended by itself (exit code 9)");
        assertThat(lastWordsAfter(143)).as("stopped in order").isEmpty();
    }

    /** The last line of the log after Java has ended with this exit code, which the terminal says too. */
    private String lastWordsAfter(int exitCode) throws Exception {
        Path data = directory.resolve("data " + exitCode);
        Launcher launcher = Launcher.of(home, data)
                .with("JAVA", javaThatEnds("17.0.1", exitCode).toString());
        Result start = launcher.run("start");
        assertThat(start.exitCode()).isEqualTo(1);
        String log = launcher.log();
        if (!log.isEmpty()) {
            assertThat(start.output())
                    .contains(log.substring(log.indexOf(" - ") + 3).trim());
        }
        return log;
    }

    private Path javaThatEnds(String version, int exitCode) throws IOException {
        return program(
                "java",
                "if [ \"$1\" = -version ]; then echo 'openjdk version \"" + version + "\"' >&2; exit; fi; exit "
                        + exitCode);
    }

    @Test
    void keepsTheLastHeapDumpAndTheOneBefore() throws Exception {
        Launcher launcher = launcher().with("JAVA", javaThatEnds("17.0.1", 1).toString());
        launcher.run("start");
        Path dump = launcher.data().resolve("log/heap.hprof.gz");
        for (String content : List.of("first", "second")) {
            Files.writeString(dump, content);
            launcher.run("start");
        }

        assertThat(dump).doesNotExist();
        assertThat(dump.resolveSibling("heap-older.hprof.gz")).hasContent("second");
    }

    @Test
    void printsASystemdUnitForItsOwnPathsAndOptions() throws Exception {
        Path data = directory.resolve("100% of \"data\"");

        Result unit = Launcher.of(home, data).run("systemd", "--port", "93", "--heap", "4g", "--user", "broker");

        assertThat(unit.exitCode()).isZero();
        String quoted = "\"" + data.toString().replace("\"", "\\\"").replace("%", "%%") + "\"";
        assertThat(unit.output().lines())
                .contains(
                        "ExecStart=\"" + home + "/bin/felice\" run --data " + quoted + " --port 93 --heap 4g",
                        "ReadWritePaths=" + quoted,
                        "User=broker",
                        "Type=notify",
                        "Restart=on-failure",
                        "LimitNOFILE=1048576",
                        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE");
        assertThat(seconds(unit.output(), "TimeoutStopSec"))
                .as("longer than a node takes to stop: karaf.shutdown.timeout, and FELICE_STOP_TIMEOUT of felice stop")
                .isGreaterThan(120);
        mustBeAUnit(unit.output());
    }

    private static int seconds(String unit, String setting) {
        return unit.lines()
                .filter(line -> line.startsWith(setting + "="))
                .mapToInt(line -> Integer.parseInt(line.substring(setting.length() + 1)))
                .findFirst()
                .orElseThrow();
    }

    /** As systemd sees it, where it is installed. */
    private void mustBeAUnit(String text) throws Exception {
        Path file = Files.writeString(directory.resolve("felice.service"), text);
        Process verify = new ProcessBuilder(
                        "sh",
                        "-c",
                        "command -v systemd-analyze >/dev/null || exit 0; exec systemd-analyze verify \"$1\"",
                        "sh",
                        file.toString())
                .redirectErrorStream(true)
                .start();
        String complaints = new String(verify.getInputStream().readAllBytes(), UTF_8);
        assertThat(verify.waitFor()).as(complaints).isZero();
        assertThat(complaints).doesNotContain("felice.service");
    }

    @Test
    void putsTheDataDirectoryBelowVarLibInTheCareOfSystemd() throws Exception {
        Result unit = launcher().run("systemd", "--data", "/var/lib/felice", "--etc", "/etc/felice");

        assertThat(unit.output().lines())
                .contains(
                        "StateDirectory=felice", "ReadWritePaths=/etc/felice", "User=felice", "CapabilityBoundingSet=")
                .contains("#   install -d -o felice /etc/felice");
    }

    @Test
    void refusesAFullDisk() throws Exception {
        Result result = launcher().with("FELICE_MIN_FREE_MB", "999999999").run("start");

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.output()).matches("The disk is full: \\d+ MB are free for .*\\.\n");
    }

    @Test
    void refusesASmallDisk() throws Exception {
        Launcher launcher = launcher().under(Mounts.small(directory, 32));

        Result result = launcher.run("start");

        assertThat(result)
                .isEqualTo(new Result(
                        1,
                        "The disk is full: 32 MB are free for " + directory + ", and a node needs 64 MB to start.\n"));
    }

    @Test
    void refusesADataDirectoryThatIsAFile() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));

        Result result = Launcher.of(home, file).run("start");

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.output()).startsWith("The data directory " + file + " cannot be written: ");
    }

    @Test
    void reportsThatTheZooKeeperPortIsTaken() throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            Launcher launcher = launcher().listeningOn(0, other.getLocalPort());

            Result result = launcher.run("start");

            assertThat(result.exitCode()).isEqualTo(1);
            assertThat(result.output())
                    .endsWith("Felice cannot start: ZooKeeper cannot listen on 127.0.0.1:" + other.getLocalPort()
                            + ": the port is taken; choose another with --zookeeper-port, or as port in"
                            + " io.felice.zookeeper.cfg\n");
            assertThat(launcher.run("status").exitCode()).isEqualTo(3);
        }
    }

    private Launcher launcher() {
        return Launcher.of(home, directory);
    }

    private Path program(String name, String body) throws IOException {
        Path program = Files.writeString(directory.resolve(name), "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        return program;
    }
}
