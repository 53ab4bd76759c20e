package io.felice.itests.rig;

import io.felice.testkit.FeliceNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A {@link FeliceNode} in a JVM of its own. */
public final class NodeProcess implements Mortal {
    /** A setting that begins so has listeners that the node has beside the one at its port. */
    static final String MORE_LISTENERS = "more.listeners=";

    private final Path data;
    private final List<String> settings;
    private final int port = Ports.free();
    private final Path said;
    private final List<String> before;
    private Process process;

    private NodeProcess(Path data, List<String> settings, List<String> before) {
        this.data = data;
        this.settings = settings;
        this.before = before;
        this.said = data.resolveSibling(data.getFileName() + ".said");
    }

    /**
     * A node that is not started yet.
     *
     * @param settings each in the form {@code io.felice.broker/num.partitions=3}
     */
    public static NodeProcess in(Path data, String... settings) {
        return new NodeProcess(data, List.of(settings), List.of());
    }

    /** The same node, on this disk. Settings say which of its directories are on the disk. */
    NodeProcess on(SmallDisk disk) {
        return new NodeProcess(data, settings, disk.command());
    }

    /**
     * The program of the process: {@code DIRECTORY PORT [SETTING]...}. It runs until its standard input ends. Each line
     * of input, {@code TABLE KEY COLUMN}, names a cell of a status table; the program prints the cell's value as one
     * line.
     */
    public static void main(String[] arguments) throws IOException {
        FeliceNode.Builder builder = FeliceNode.in(Path.of(arguments[0])).port(Integer.parseInt(arguments[1]));
        for (String setting : List.of(arguments).subList(2, arguments.length)) {
            if (setting.startsWith(MORE_LISTENERS)) {
                builder.config(
                        "io.felice.network",
                        "listeners",
                        "PLAINTEXT://127.0.0.1:" + arguments[1] + "," + setting.substring(MORE_LISTENERS.length()));
                continue;
            }
            String[] words = setting.split("[/=]", 3);
            builder.config(words[0], words[1], words[2]);
        }
        try (FeliceNode node = builder.start()) {
            System.out.println("bootstrap=" + node.bootstrap());
            BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = questions.readLine(); line != null; line = questions.readLine()) {
                String[] words = line.split(" ", 3);
                System.out.println(
                        node.status(words[0]).cell(words[1], words[2]).orElse("none"));
            }
        }
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

    public void launch() {
        try {
            List<String> command = new ArrayList<>(before);
            command.addAll(List.of(
                    ProcessHandle.current().info().command().orElse("java"),
                    "-Xmx256m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                    "-cp",
                    System.getProperty("java.class.path"),
                    NodeProcess.class.getName(),
                    data.toString(),
                    Integer.toString(port)));
            command.addAll(settings);
            process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.appendTo(said.toFile()))
                    .start();
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    public void awaitReady() {
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

    public long status(String table, String key, String column) {
        try {
            BufferedWriter questions = process.outputWriter();
            questions.write(table + " " + key + " " + column);
            questions.newLine();
            questions.flush();
            return Long.parseLong(process.inputReader().readLine());
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    @Override
    public void kill() {
        process.destroyForcibly().onExit().join();
    }

    /** Stops the process as SIGSTOP does: it neither runs nor ends. */
    public void pause() {
        signal("STOP");
    }

    public void resume() {
        signal("CONT");
    }

    private void signal(String name) {
        Programs.run(List.of("kill", "-" + name, Long.toString(process.pid())), Path.of("."));
    }

    public boolean isRunning() {
        return process != null && process.isAlive();
    }

    /** What the node has logged. */
    public String said() {
        try {
            return Files.exists(said) ? Files.readString(said) : "";
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
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
