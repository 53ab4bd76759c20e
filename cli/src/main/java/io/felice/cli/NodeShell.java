package io.felice.cli;

import io.felice.shell.SendCommand;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Runs commands of the shell in the node of this machine, through the socket that only the owner of its files may use. */
final class NodeShell {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            order = 100,
            description = "The data directory of the node. FELICE_DATA; else data beside bin.")
    Path data;

    private final Terminal terminal;

    NodeShell(Terminal terminal) {
        this.terminal = terminal;
    }

    /** The output of a command. */
    String run(String... words) {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        int code = send(output, words);
        String text = output.toString(StandardCharsets.UTF_8);
        if (code != 0) {
            throw refused(text);
        }
        return text;
    }

    /** Prints the output of a command while it comes. */
    int follow(String... words) {
        int code = send(terminal.out(), words);
        terminal.out().flush();
        return code;
    }

    static CliFailure refused(String output) {
        String[] lines = output.strip().split("\n");
        String last = lines[lines.length - 1];
        return last.matches("(?i)(there is no|no) plugin.*")
                ? CliFailure.notFound(last, "felice plugin list shows the plugins.")
                : new CliFailure(CliFailure.FAILED, "REFUSED", last, null);
    }

    /** Copies the output of a command, and returns 0 or, if the command failed, 1. */
    int send(OutputStream output, String... words) {
        Path socket = socket();
        if (!Files.exists(socket)) {
            throw new CliFailure(
                    CliFailure.FAILED,
                    "NOT_RUNNING",
                    "No node runs on " + socket.getParent() + ".",
                    "Start it with felice start, or name its data directory with --data DIR.");
        }
        StringBuilder line = new StringBuilder();
        for (String word : words) {
            line.append(line.length() == 0 ? "" : " ").append(quoted(word));
        }
        int code = SendCommand.send(socket, line.toString(), output);
        if (code > 1) {
            throw new CliFailure(
                    CliFailure.FAILED, "NOT_RUNNING", "The node of " + socket.getParent() + " does not answer.", null);
        }
        return code;
    }

    /** In single quotes the shell takes a word as it is. */
    private static String quoted(String word) {
        if (word.matches("[A-Za-z0-9:._/@=+-]+")) {
            return word;
        } else if (word.indexOf('\'') >= 0 || word.matches("(?s).*\\p{Cntrl}.*")) {
            throw CliFailure.usage("\"" + word + "\" has a quote or a control character.", "Use another name.");
        }
        return "'" + word + "'";
    }

    private Path socket() {
        String file = System.getProperty("felice.command.socket");
        if (data == null && file != null && !file.isEmpty()) {
            return Path.of(file);
        }
        String directory =
                data != null ? data.toString() : terminal.environment().get("FELICE_DATA");
        if (directory == null) {
            throw CliFailure.usage("Which node?", "Name its data directory with --data DIR.");
        }
        return Path.of(directory).toAbsolutePath().resolve("felice.sock");
    }
}
