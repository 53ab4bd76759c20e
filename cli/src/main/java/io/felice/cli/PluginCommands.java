package io.felice.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.felice.shell.text.Listing;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code felice plugin}: asks the node of this machine, whose {@code felice:plugin-*} commands do the work. */
@Command(
        name = "plugin",
        description =
                "Plugins of the node on this machine: list, check, install, upgrade, rollback, enable, disable, remove.")
final class PluginCommands {
    private final Terminal terminal;

    PluginCommands(Terminal terminal) {
        this.terminal = terminal;
    }

    @Command(name = "list", description = "Shows the plugins, and the files that were left out and why.")
    int list(@Mixin NodeShell node, @Mixin OutputOptions output) throws IOException {
        Listing plugins = rows(
                node.run("felice:plugin-list", "--json"),
                "plugin",
                "version",
                "state",
                "provides",
                "file",
                "signature",
                "rollback");
        output.print(plugins, "There are no plugins.");
        return 0;
    }

    @Command(name = "check", description = "Says what a file is and whether it fits the node; exits with 1 if not.")
    int check(
            @Mixin NodeShell node,
            @Mixin OutputOptions output,
            @Parameters(paramLabel = "FILE", description = "A jar or an archive of jars.") Path file)
            throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int code = node.send(bytes, "felice:plugin-check", "--json", readable(file));
        String text = bytes.toString(StandardCharsets.UTF_8);
        int end = text.lastIndexOf(']') + 1;
        if (end > 0) {
            output.print(rows(text.substring(0, end), "what", "says", "raw"), "");
        }
        if (code != 0) {
            throw NodeShell.refused(text.substring(end));
        }
        return 0;
    }

    @Command(name = "install", description = "Checks a file, copies it to plugins/ and starts it.")
    int install(
            @Mixin NodeShell node,
            @Mixin OutputOptions output,
            @Parameters(paramLabel = "FILE", description = "A jar or an archive of jars.") Path file) {
        return change(node, output, "install", "felice:plugin-install", readable(file));
    }

    @Command(
            name = "upgrade",
            description = "Replaces a plugin by another version; the old one comes back if that one does not work.")
    int upgrade(
            @Mixin NodeShell node,
            @Mixin OutputOptions output,
            @Parameters(index = "0", paramLabel = "NAME", description = "The name.") String name,
            @Parameters(index = "1", paramLabel = "FILE", description = "A jar or an archive of jars.") Path file) {
        return change(node, output, "upgrade", "felice:plugin-upgrade", name, readable(file));
    }

    @Command(name = "rollback", description = "Takes the version before.")
    int rollback(
            @Mixin NodeShell node,
            @Mixin OutputOptions output,
            @Parameters(paramLabel = "NAME", description = "The name.") String name) {
        return change(node, output, "rollback", "felice:plugin-rollback", name);
    }

    @Command(name = "enable", description = "Starts a plugin that was disabled.")
    int enable(
            @Mixin NodeShell node,
            @Mixin OutputOptions output,
            @Parameters(paramLabel = "NAME", description = "The name.") String name) {
        return change(node, output, "enable", "felice:plugin-enable", name);
    }

    @Command(name = "disable", description = "Stops a plugin; its file stays, also over a restart.")
    int disable(
            @Mixin NodeShell node,
            @Mixin OutputOptions output,
            @Parameters(paramLabel = "NAME", description = "The name.") String name) {
        return change(node, output, "disable", "felice:plugin-disable", name);
    }

    @Command(name = "remove", description = "Stops a plugin and deletes its file; says by what it is used, if it is.")
    int remove(
            @Mixin NodeShell node,
            @Mixin OutputOptions output,
            @Mixin Consent consent,
            @Parameters(paramLabel = "NAME", description = "The name.") String name)
            throws IOException {
        if (consent.dryRun) {
            return list(node, output);
        }
        consent.require("Remove the plugin " + name + "?");
        return change(node, output, "remove", "felice:plugin-remove", name);
    }

    /** The stages come while the node works; programs get the last sentence. */
    private int change(NodeShell node, OutputOptions output, String what, String... words) {
        if (output.form() == OutputOptions.Form.TABLE) {
            int code = node.follow(words);
            return code == 0 ? 0 : CliFailure.FAILED;
        }
        String[] lines = node.run(words).strip().split("\n");
        output.done("", new Listing("action", "outcome").row(what, lines[lines.length - 1]));
        return 0;
    }

    private static String readable(Path file) {
        if (!Files.isReadable(file)) {
            throw CliFailure.notFound("There is no file " + file + ".", null);
        }
        return file.toAbsolutePath().normalize().toString();
    }

    /** The rows of a command of the shell that prints JSON: an array of objects with strings. */
    private static Listing rows(String json, String... columns) throws IOException {
        Listing rows = new Listing(columns);
        try (JsonParser from = new JsonFactory().createParser(json)) {
            if (from.nextToken() != JsonToken.START_ARRAY) {
                throw new CliFailure(CliFailure.FAILED, "REFUSED", json.strip(), null);
            }
            while (from.nextToken() == JsonToken.START_OBJECT) {
                List<Object> cells = new ArrayList<>(Collections.nCopies(columns.length, ""));
                while (from.nextToken() == JsonToken.FIELD_NAME) {
                    int column = List.of(columns).indexOf(from.currentName());
                    from.nextToken();
                    if (column >= 0) {
                        cells.set(column, from.getText());
                    }
                }
                rows.row(cells.toArray());
            }
        }
        return rows;
    }
}
