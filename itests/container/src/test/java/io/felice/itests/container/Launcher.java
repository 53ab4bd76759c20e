package io.felice.itests.container;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Runs {@code bin/felice} of one installation with one data directory.
 *
 * @param home the unpacked distribution
 * @param data the node's data directory
 * @param environment additional environment variables of the launcher
 * @param under a command that runs the launcher: the launcher and its arguments are appended to it; empty for none
 */
record Launcher(Path home, Path data, Map<String, String> environment, List<String> under) {

    private static final Map<String, String> FRUGAL = Map.of(
            "FELICE_HEAP",
            "192m",
            "FELICE_DIRECT_MEMORY",
            "128m",
            "FELICE_JAVA_OPTS",
            "-XX:TieredStopAtLevel=1 -XX:-UseG1GC -XX:+UseSerialGC");
    private static final long MAX_MINUTES = 5;
    private static final String COMMAND_SOCKET = "-Dfelice.command.socket=";
    private static final int UNREACHABLE = 5;

    /** The exit code of a command, and its output: both streams together. */
    record Result(int exitCode, String output) {}

    static Launcher of(Path home, Path data) {
        return new Launcher(home, data, FRUGAL, List.of());
    }

    Launcher with(String variable, String value) {
        Map<String, String> more = new TreeMap<>(environment);
        more.put(variable, value);
        return new Launcher(home, data, more, under);
    }

    /** A launcher that another command runs: the launcher and its arguments are appended to {@code command}. */
    Launcher under(List<String> command) {
        return new Launcher(home, data, environment, command);
    }

    Launcher listeningOn(int port, int zookeeperPort) {
        return with("FELICE_PORT", Integer.toString(port))
                .with("FELICE_ZOOKEEPER_PORT", Integer.toString(zookeeperPort))
                .with("FELICE_CONSOLE_PORT", "0");
    }

    /** Runs a command to its end. */
    Result run(String... arguments) throws IOException, InterruptedException {
        Path output = Files.createTempFile("felice", ".out");
        try {
            Process process = command(arguments)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(MAX_MINUTES, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new IllegalStateException("felice " + String.join(" ", arguments) + " does not end; it printed: "
                        + Files.readString(output));
            }
            return new Result(process.exitValue(), Files.readString(output, UTF_8));
        } finally {
            Files.delete(output);
        }
    }

    /** Runs a shell command in the running node as {@code felice exec} does, and starts no program for that. */
    Result exec(String line) throws IOException {
        UnixDomainSocketAddress commands = UnixDomainSocketAddress.of(commandSocket());
        try (SocketChannel node = SocketChannel.open(commands)) {
            node.write(ByteBuffer.wrap(line.getBytes(UTF_8)));
            node.shutdownOutput();
            String answer = new String(Channels.newInputStream(node).readAllBytes(), UTF_8);
            int end = answer.indexOf('\0');
            return end < 0
                    ? new Result(UNREACHABLE, answer)
                    : new Result(answer.charAt(end + 1) - '0', answer.substring(0, end));
        } catch (IOException unreachable) {
            return new Result(UNREACHABLE, unreachable.toString());
        }
    }

    private String commandSocket() throws IOException {
        return Stream.of(
                        Files.readString(Path.of("/proc/" + pid() + "/cmdline")).split("\0"))
                .filter(argument -> argument.startsWith(COMMAND_SOCKET))
                .map(argument -> argument.substring(COMMAND_SOCKET.length()))
                .findFirst()
                .orElseThrow();
    }

    /** Starts a command in its own process group and without ignored signals, as a terminal does. */
    Process spawn(Path output, String... arguments) throws IOException {
        ProcessBuilder builder = command(arguments).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.command().addAll(0, List.of("env", "--default-signal=INT", "setsid"));
        return builder.start();
    }

    /** Sends SIGINT to every process of the command's process group, as Ctrl-C in a terminal does. */
    static void pressCtrlC(Process terminal) throws IOException, InterruptedException {
        Process shell = new ProcessBuilder("sh", "-c", "kill -s INT -- -" + terminal.pid())
                .inheritIO()
                .start();
        if (shell.waitFor() != 0) {
            throw new IllegalStateException("process group " + terminal.pid() + " cannot be signalled");
        }
    }

    /** The id of the node's process, from the launcher's pid file. */
    long pid() throws IOException {
        return Long.parseLong(Files.readString(data.resolve("felice.pid")).trim());
    }

    String log() throws IOException {
        Path log = data.resolve("log/felice.log");
        return Files.exists(log) ? Files.readString(log) : "";
    }

    private ProcessBuilder command(String... arguments) {
        List<String> command = new ArrayList<>(under);
        command.add(home.resolve("bin/felice").toString());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().keySet().removeIf(name -> name.startsWith("FELICE_") || name.startsWith("KARAF_"));
        builder.environment().put("FELICE_DATA", data.toString());
        builder.environment().putAll(environment);
        return builder;
    }
}
