package io.felice.itests.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs other programs. If a program fails or does not end, the test fails and shows the program's output. */
public final class Programs {
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private Programs() {}

    /** Runs a program to its end, with a file as its standard input. */
    public static void feed(Path input, List<String> command) {
        Path said = temporary("said");
        run(
                new ProcessBuilder(command)
                        .redirectInput(input.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(said.toFile()),
                said);
    }

    /** Runs a program to its end and writes its standard output to a file. */
    public static void drain(List<String> command, Path output) {
        Path said = temporary("said");
        run(new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(said.toFile()), said);
    }

    /** Runs a program to its end and returns its standard output and standard error. */
    public static String run(List<String> command, Path directory) {
        return run(command, directory, Map.of());
    }

    public static String run(List<String> command, Path directory, Map<String, String> environment) {
        Path said = temporary("said");
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        return run(
                builder.directory(directory.toFile()).redirectErrorStream(true).redirectOutput(said.toFile()), said);
    }

    private static String run(ProcessBuilder builder, Path said) {
        try {
            Process process = builder.start();
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(builder.command() + " hangs: " + Files.readString(said));
            }
            String output = Files.readString(said);
            if (process.exitValue() != 0) {
                throw new AssertionError(builder.command() + " ended with " + process.exitValue() + ": " + output);
            }
            return output;
        } catch (IOException failure) {
            throw new AssertionError(builder.command() + " cannot be run: " + failure.getMessage(), failure);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    public static Path temporary(String name) {
        try {
            Path file = Files.createTempFile("felice-" + name, "");
            file.toFile().deleteOnExit();
            return file;
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }
}
