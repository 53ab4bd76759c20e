package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.Ports;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever does what docs/security.md says has a node that is closed, and a client that may use it. */
class SecurityGuideTest {
    private static final Path GUIDE = Path.of("../../docs/security.md");
    private static final String PORT = "9093";

    @TempDir
    Path directory;

    private Etc etc;
    private Launcher node;
    private final int port = Ports.free();

    SecurityGuideTest() throws Exception {}

    private void start() throws Exception {
        Path home = Archive.TAR_GZ.unpack(directory);
        etc = Etc.of(home, directory.resolve("etc"));
        node = Launcher.of(home, directory.resolve("data"))
                .listeningOn(Ports.free(), Ports.free())
                .with("FELICE_ETC", etc.toString());
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
        Guide guide = new Guide(node, etc, directory);
        for (Guide.Block block : Guide.blocks(Files.readString(GUIDE).replace(PORT, Integer.toString(port)))) {
            if (block.isTyped()) {
                printed.append(guide.type(block.text()));
            } else if (block.isSettings()) {
                guide.write(block);
                awaitNoticed(block.settings());
            }
        }
        assertThat(printed)
                .contains(
                        "User admin can log in and may do everything.",
                        "User alice can log in.",
                        "an order",
                        "not trusted",
                        "refused",
                        "operation=");
        assertThat(node.log()).doesNotContain("the password of", "a-long-word");
    }

    /** Waits until the node has noticed a changed file. */
    private void awaitNoticed(String file) throws Exception {
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
