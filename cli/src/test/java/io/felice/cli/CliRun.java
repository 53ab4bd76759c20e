package io.felice.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A command that was run in this process.
 *
 * @param exitCode as of the process
 * @param bytes what was printed to the standard output
 * @param err what was printed to the standard error
 */
record CliRun(int exitCode, byte[] bytes, String err) {
    String out() {
        return new String(bytes, UTF_8);
    }

    /** A surrounding of commands: the node to ask, the input, the terminals. */
    record Surrounding(Map<String, String> environment, byte[] input, Set<String> terminals, int columns) {
        Surrounding input(String text) {
            return input(text.getBytes(UTF_8));
        }

        Surrounding input(byte[] bytes) {
            return new Surrounding(environment, bytes, terminals, columns);
        }

        Surrounding with(String variable, String value) {
            Map<String, String> more = new TreeMap<>(environment);
            more.put(variable, value);
            return new Surrounding(more, input, terminals, columns);
        }

        /** All three streams are a terminal. */
        Surrounding onTerminal(int width) {
            return new Surrounding(environment, input, Set.of("in", "out", "err"), width);
        }

        /** Whose output is lost. */
        Terminal terminal() {
            PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
            return new Terminal(new ByteArrayInputStream(input), nowhere, nowhere, environment, terminals, columns);
        }

        CliRun run(String... arguments) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            Terminal terminal = new Terminal(
                    new ByteArrayInputStream(input),
                    new PrintStream(out, false, UTF_8),
                    new PrintStream(err, true, UTF_8),
                    environment,
                    terminals,
                    columns);
            int code = FeliceCommand.run(terminal, arguments);
            return new CliRun(code, out.toByteArray(), err.toString(UTF_8));
        }

        /** Runs a command that is written with spaces between its words. */
        CliRun line(String words) {
            return run(words.split(" +"));
        }
    }

    static Surrounding on(String bootstrap) {
        return new Surrounding(Map.of("FELICE_BOOTSTRAP", bootstrap), new byte[0], Set.of(), 0);
    }

    /** The lines of the output, with one space where there are several. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        out().lines().forEach(line -> lines.add(line.strip().replaceAll(" +", " ")));
        return lines;
    }
}
