package io.felice.itests.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever does what docs/security.md says has a node that is closed, and a client that may use it. */
class SecurityGuideTest {
    private static final Path GUIDE = Path.of("../../docs/security.md");
    private static final Pattern BLOCK = Pattern.compile("```(\\w+) ?(\\S*)\\n(.*?)```", Pattern.DOTALL);
    private static final String PORT = "9093";

    @TempDir
    Path directory;

    private Path data;
    private Path home;
    private Etc etc;
    private Launcher node;
    private final int port = Ports.free();

    SecurityGuideTest() throws Exception {}

    /** A part of the guide that the reader types, or writes into a file. */
    private record Block(String language, String file, String text) {}

    private List<Block> blocks() throws IOException {
        List<Block> blocks = new ArrayList<>();
        Matcher found = BLOCK.matcher(Files.readString(GUIDE).replace(PORT, Integer.toString(port)));
        while (found.find()) {
            blocks.add(new Block(found.group(1), found.group(2), found.group(3)));
        }
        return blocks;
    }

    private void start() throws Exception {
        data = directory.resolve("data");
        home = Archive.TAR_GZ.unpack(directory);
        etc = Etc.of(home, directory.resolve("etc"));
        node = Launcher.of(home, data).listeningOn(Ports.free(), Ports.free()).with("FELICE_ETC", etc.toString());
        Launcher.Result start = node.run("start");
        assertThat(start.exitCode()).as(start.output()).isZero();
    }

    @AfterEach
    void stop() throws Exception {
        node.run("stop");
    }

    @Test
    void everyBlockOfTheGuideDoesWhatItSays() throws Exception {
        start();
        StringBuilder printed = new StringBuilder();
        for (Block block : blocks()) {
            if (block.language().equals("sh")) {
                printed.append(type(block.text()));
            } else if (block.file().startsWith("etc/")) {
                write(block);
            }
        }
        assertThat(printed)
                .contains(
                        "User admin can log in and may do everything.",
                        "User alice can log in.",
                        "an order",
                        "refused",
                        "operation=");
        assertThat(node.log()).doesNotContain("the password of", "a-long-word");
    }

    private String type(String script) throws Exception {
        ProcessBuilder shell =
                new ProcessBuilder("bash", "-eu", "-c", "felice() { '" + home + "/bin/felice' \"$@\"; }\n" + script);
        shell.environment().putAll(node.environment());
        shell.environment().put("FELICE_DATA", data.toString());
        shell.environment().put("PATH", Path.of(System.getProperty("java.home"), "bin") + ":" + System.getenv("PATH"));
        Path output = Files.createTempFile(directory, "typed", ".out");
        Process typed =
                shell.redirectErrorStream(true).redirectOutput(output.toFile()).start();
        assertThat(typed.waitFor(3, TimeUnit.MINUTES)).as(script).isTrue();
        String text = Files.readString(output, UTF_8);
        assertThat(typed.exitValue()).as(script + text + node.log()).isZero();
        return text;
    }

    /** Changes the file as the reader does, and waits until the node has noticed. */
    private void write(Block block) throws Exception {
        String file = block.file().substring("etc/".length());
        for (String line : block.text().lines().toList()) {
            int equals = line.indexOf(" = ");
            etc.set(file, line.substring(0, equals), line.substring(equals + 3));
        }
        assertThat(Files.readString(etc.file(file)))
                .contains(block.text().lines().toList());
        if (file.equals("io.felice.network.cfg")) {
            Eventually.await("the new listener", this::isListening);
        } else {
            Eventually.await("the setup code", () -> node.log().contains("felice:user-setup"));
        }
    }

    private boolean isListening() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress("localhost", port), 1_000);
            return true;
        } catch (IOException notYet) {
            return false;
        }
    }
}
