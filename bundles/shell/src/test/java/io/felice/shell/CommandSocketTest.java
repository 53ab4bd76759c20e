package io.felice.shell;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandSocketTest {

    @TempDir
    Path directory;

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    @Test
    void returnsTheOutputOfACommand() {
        try (CommandSocket socket = listening((line, output) -> {
            output.print("ran " + line + " ✓");
            return true;
        })) {
            int exitCode = SendCommand.send(file(), "felice:status network", printed);

            assertThat(socket).isNotNull();
            assertThat(exitCode).isZero();
            assertThat(printed.toString(UTF_8)).isEqualTo("ran felice:status network ✓");
        }
    }

    @Test
    void returnsMoreThanOneBufferOfOutput() {
        String much = "0123456789".repeat(100_000);
        try (CommandSocket socket = listening((line, output) -> {
            output.print(much);
            return true;
        })) {
            int exitCode = SendCommand.send(file(), "much", printed);

            assertThat(socket).isNotNull();
            assertThat(exitCode).isZero();
            assertThat(printed.toString(UTF_8)).isEqualTo(much);
        }
    }

    @Test
    void returnsOneIfTheCommandFailed() {
        try (CommandSocket socket = listening((line, output) -> false)) {
            assertThat(socket).isNotNull();
            assertThat(SendCommand.send(file(), "wrong", printed)).isEqualTo(1);
        }
    }

    @Test
    void onlyTheOwnerMayUseTheSocket() throws Exception {
        try (CommandSocket socket = listening((line, output) -> true)) {
            assertThat(socket).isNotNull();
            await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> assertThat(
                            PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                    .isEqualTo("rw-------"));
        }
    }

    @Test
    void replacesTheFileOfAKilledNodeAndDeletesItsOwn() throws Exception {
        Files.createFile(file());
        CommandSocket socket = new CommandSocket(file(), (line, output) -> true);
        socket.start();
        await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> assertThat(SendCommand.send(file(), "again", printed))
                .isZero());

        socket.close();

        assertThat(file()).doesNotExist();
        assertThat(SendCommand.send(file(), "again", printed)).isEqualTo(5);
    }

    @Test
    void aCommandWaitsWhileAsManyRunAsMay() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        AtomicInteger begun = new AtomicInteger();
        List<Thread> clients = new ArrayList<>();
        try (CommandSocket socket = listening((line, output) -> {
            begun.incrementAndGet();
            try {
                release.await();
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
            return true;
        })) {
            for (int i = 0; i <= CommandSocket.MOST_COMMANDS; i++) {
                clients.add(new Thread(() -> SendCommand.send(file(), "wait", new ByteArrayOutputStream())));
            }
            clients.forEach(Thread::start);
            await().until(() -> begun.get() == CommandSocket.MOST_COMMANDS);
            Thread.sleep(50);
            assertThat(begun).hasValue(CommandSocket.MOST_COMMANDS);
            assertThat(socket.running()).isEqualTo(CommandSocket.MOST_COMMANDS);

            release.countDown();

            await().until(() -> begun.get() == CommandSocket.MOST_COMMANDS + 1);
            for (Thread client : clients) {
                client.join();
            }
        }
    }

    private CommandSocket listening(Commands commands) {
        CommandSocket socket = new CommandSocket(file(), commands);
        socket.start();
        await().atMost(Duration.ofMinutes(1)).until(() -> Files.exists(file()));
        return socket;
    }

    private Path file() {
        return directory.resolve("socket");
    }
}
