package io.felice.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What surrounds a command: its streams, its environment, and which of the streams are a terminal.
 *
 * @param terminals of {@code in}, {@code out}, {@code err}, those that are a terminal
 * @param columns the width of the terminal; 0 if unknown
 */
record Terminal(
        InputStream in,
        PrintStream out,
        PrintStream err,
        Map<String, String> environment,
        Set<String> terminals,
        int columns) {
    private static final int DEFAULT_COLUMNS = 80;

    /** The process's own. The launcher knows which streams are terminals. */
    static Terminal ofProcess() {
        return new Terminal(
                System.in,
                buffered(FileDescriptor.out, 64 << 10),
                buffered(FileDescriptor.err, 256),
                System.getenv(),
                Set.of(System.getProperty("felice.terminals", "").split(",")),
                Integer.getInteger("felice.columns", 0));
    }

    private static PrintStream buffered(FileDescriptor file, int bytes) {
        return new PrintStream(
                new BufferedOutputStream(new FileOutputStream(file), bytes), file == FileDescriptor.err, UTF_8);
    }

    boolean isOutTerminal() {
        return terminals.contains("out");
    }

    boolean isErrTerminal() {
        return terminals.contains("err");
    }

    boolean canAsk() {
        return terminals.contains("in") && isErrTerminal();
    }

    /** How wide a table may be; 0 without a limit, because programs read it. */
    int width() {
        return isOutTerminal() ? columns > 0 ? columns : DEFAULT_COLUMNS : 0;
    }

    /** Asks a question that yes or no answers. */
    boolean agrees(String question) {
        err.print(question + " [y/N] ");
        err.flush();
        try {
            String answer = new BufferedReader(new InputStreamReader(in, UTF_8)).readLine();
            return answer != null && answer.trim().toLowerCase(Locale.ROOT).matches("y|yes");
        } catch (IOException closed) {
            return false;
        }
    }

    /**
     * Asks for a secret, without showing it.
     *
     * @throws CliFailure if there is no terminal to ask on
     */
    String secret(String prompt) {
        Console console = canAsk() ? System.console() : null;
        if (console == null) {
            throw CliFailure.usage("There is no terminal to ask for a password.", "Give --password-file FILE.");
        }
        char[] secret = console.readPassword("%s", prompt);
        return secret == null ? "" : new String(secret);
    }
}
