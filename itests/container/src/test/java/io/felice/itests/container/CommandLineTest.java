package io.felice.itests.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import io.felice.itests.rig.Ports;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands for a cluster as processes: exit codes, pipes, terminals, signals, and the socket of the node. */
class CommandLineTest {
    @TempDir
    static Path directory;

    private static Launcher node;
    private static Path felice;

    @BeforeAll
    static void start() throws Exception {
        Path home = Archive.TAR_GZ.unpack(directory.resolve("with a space"));
        felice = home.resolve("bin/felice");
        node = Launcher.of(home, directory.resolve("data")).listeningOn(Ports.free(), Ports.free());
        Result start = node.run("start");
        assertThat(start.exitCode()).as(start.output() + node.log()).isZero();
    }

    @AfterAll
    static void stop() throws Exception {
        node.run("stop");
    }

    /** Runs a line of bash, in which $felice is the launcher. */
    private static Result bash(String line) throws Exception {
        return node.with("felice", felice.toString())
                .under(List.of("bash", "-c", line))
                .run();
    }

    @Test
    void commandsOfTheUnpackedDistributionFindTheirNodeAndWorkInPipes() throws Exception {
        assertThat(node.run("topic", "create", "orders", "-p", "1").output())
                .isEqualTo("Created orders (1 partition, 1 replica).\n");
        assertThat(bash("seq 100000 | \"$felice\" produce orders -k 'a key'").output())
                .isEqualTo("100000 records written to orders.\n");
        assertThat(bash("set -o pipefail; \"$felice\" consume orders -O start -e -o text | tail -n 1"))
                .isEqualTo(new Result(0, "100000\n"));
        assertThat(bash("\"$felice\" consume orders -O start -o text | head -n 2")
                        .output())
                .as("a consumer whose reader has ended ends too")
                .isEqualTo("1\n2\n");
        assertThat(bash("\"$felice\" consume orders -O start -n 1 --output=text 2>&1 <&-"))
                .isEqualTo(new Result(0, "1\n"));
        assertThat(node.run("topic", "describe", "nowhere"))
                .isEqualTo(new Result(3, "felice: There is no topic nowhere.\nfelice topic list shows the topics.\n"));
        assertThat(bash("\"$felice\" topic list -o nonsense 2>/dev/null")).isEqualTo(new Result(2, ""));
        assertThat(node.run("cluster", "health").output()).startsWith("HEALTHY");
        Eventually.await(
                "the archive of classes", () -> Files.exists(node.data().resolve("cli.jsa")));
        assertThat(node.run("topic", "list", "-o", "name").output()).contains("orders\n");
        assertThat(node.data().resolve("cli.jsa")).as("the archive fits").exists();
    }

    @Test
    void aTerminalIsAskedAndGetsColoursAndPipesDoNot() throws Exception {
        node.run("topic", "create", "asked");

        Result refused = bash("echo n | script -qec '\"$felice\" topic delete asked' /dev/null");
        Result help = bash("script -qec '\"$felice\" topic list --help' /dev/null");
        Result piped = bash("\"$felice\" topic list --help | cat");

        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.output()).contains("Delete asked with all records? [y/N]", "Nothing was changed.");
        assertThat(help.output()).contains("\u001b[");
        assertThat(piped.output()).contains("Usage: felice topic list").doesNotContain("\u001b");
    }

    @Test
    void ctrlCEndsAConsumerThatWaitsWithItsOwnExitCode() throws Exception {
        node.run("topic", "create", "waiting");
        bash("echo first | \"$felice\" produce waiting");
        Path output = directory.resolve("waiting.out");

        Process consumer = node.spawn(output, "consume", "waiting", "-O", "start", "-o", "text");
        Eventually.await(
                "the first record", () -> Files.readString(output, UTF_8).equals("first\n"));
        Launcher.pressCtrlC(consumer);

        assertThat(consumer.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(consumer.exitValue()).isEqualTo(130);
    }

    @Test
    void pluginsAreAskedOfTheNodeOfThisMachine() throws Exception {
        Path nonsense = Files.writeString(directory.resolve("it's no plugin.jar"), "nonsense");
        Path file = Files.writeString(directory.resolve("no plugin.jar"), "nonsense");

        assertThat(node.run("plugin", "list", "-o", "json")).isEqualTo(new Result(0, "[ ]\n"));
        Result check = node.run("plugin", "check", file.toString());
        assertThat(check.exitCode()).isEqualTo(1);
        assertThat(check.output()).contains("does not fit this node");
        assertThat(node.run("plugin", "install", file.toString()).exitCode()).isEqualTo(1);
        assertThat(node.run("plugin", "check", nonsense.toString()).exitCode()).isEqualTo(2);
        assertThat(node.run("plugin", "enable", "nothing").exitCode()).isEqualTo(1);
        assertThat(node.run("plugin", "install", "/nowhere.jar").exitCode()).isEqualTo(3);
        assertThat(bash("\"$felice\" plugin list --data /tmp").exitCode()).isEqualTo(1);
    }

    @Test
    void helpAndCompletionWorkInAShell() throws Exception {
        assertThat(node.run("help").output()).contains("topic     list, describe, create");
        assertThat(node.run("help", "topic", "create").output()).contains("Usage: felice topic create");
        Result completed = bash("PATH=\"$(dirname \"$felice\"):$PATH\"; source <(felice completion bash);"
                + " COMP_WORDS=(felice topic de) COMP_CWORD=2 COMP_LINE='felice topic de' COMP_POINT=15; _felice_all;"
                + " printf '%s\\n' \"${COMPREPLY[@]}\"");
        assertThat(completed.output().lines()).containsExactlyInAnyOrder("describe", "delete");
    }
}
