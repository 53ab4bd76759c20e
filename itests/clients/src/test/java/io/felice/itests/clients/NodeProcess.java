package io.felice.itests.clients;

import io.felice.testkit.FeliceNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** {@link FeliceNode#main} in a JVM of its own. */
final class NodeProcess implements Mortal {
    private final Path data;
    private final int port = Distribution.freePort();
    private final Path said;
    private Process process;

    private NodeProcess(Path data) {
        this.data = data;
        this.said = data.resolveSibling(data.getFileName() + ".said");
    }

    /** A node that is not started yet. */
    static NodeProcess in(Path data) {
        return new NodeProcess(data);
    }

    @Override
    public String bootstrap() {
        return "127.0.0.1:" + port;
    }

    @Override
    public void start() {
        launch();
        awaitReady();
    }

    /** Starts the process and does not wait for it. */
    void launch() {
        try {
            process = new ProcessBuilder(List.of(
                            ProcessHandle.current().info().command().orElse("java"),
                            "-Xmx256m",
                            "-XX:+UseSerialGC",
                            "-XX:TieredStopAtLevel=1",
                            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                            "-cp",
                            System.getProperty("java.class.path"),
                            FeliceNode.class.getName(),
                            data.toString(),
                            Integer.toString(port)))
                    .redirectError(ProcessBuilder.Redirect.appendTo(said.toFile()))
                    .start();
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    /** Waits until it serves. */
    void awaitReady() {
        try {
            BufferedReader output = process.inputReader();
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                if (line.startsWith("bootstrap=")) {
                    return;
                }
            }
            throw new AssertionError("the node did not start: " + Files.readString(said));
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    @Override
    public void kill() {
        process.destroyForcibly().onExit().join();
    }

    @Override
    public void close() {
        try {
            if (process != null && process.isAlive()) {
                process.outputWriter().close();
                process.onExit().join();
            }
        } catch (IOException alreadyGone) {
            kill();
        }
    }
}
