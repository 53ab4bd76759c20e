package io.felice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Help;

/** The help of the launcher and docs/cli.md say what the commands really are. */
class CliDocumentTest {
    private static final Path ROOT = Path.of(System.getProperty("felice.root", ".."));
    private static final Path DOCUMENT = ROOT.resolve("docs/cli.md");
    private static final String BEGINNING = "The commands for the node are in `felice help`.\n\n";

    private static CommandLine felice() {
        CommandLine felice = FeliceCommand.commandLine(CliRun.on("127.0.0.1:1").terminal());
        felice.setUsageHelpWidth(100);
        return felice;
    }

    private static Stream<CommandLine> withAllBelow(CommandLine command) {
        return Stream.concat(
                Stream.of(command),
                new LinkedHashSet<>(command.getSubcommands().values()).stream().flatMap(CliDocumentTest::withAllBelow));
    }

    private static String reference() {
        StringBuilder text = new StringBuilder();
        withAllBelow(felice()).skip(1).forEach(command -> {
            boolean hasVerbs = !command.getSubcommands().isEmpty();
            text.append(hasVerbs ? "### " : "#### ")
                    .append(command.getCommandSpec().qualifiedName())
                    .append("\n\n");
            if (hasVerbs) {
                text.append(String.join(
                                " ", command.getCommandSpec().usageMessage().description()))
                        .append("\n\n");
            } else {
                command.setUsageHelpWidth(100);
                text.append("```\n")
                        .append(command.getUsageMessage(Help.Ansi.OFF).stripTrailing())
                        .append("\n```\n\n");
            }
        });
        return text.toString().stripTrailing() + "\n";
    }

    @Test
    void theDocumentHasTheHelpOfEveryCommand() throws IOException {
        String document = Files.readString(DOCUMENT);
        String written = document.substring(0, document.indexOf(BEGINNING) + BEGINNING.length());
        if (Boolean.getBoolean("felice.docs.renew")) {
            Files.writeString(DOCUMENT, written + reference());
        }

        assertThat(Files.readString(DOCUMENT)).isEqualTo(written + reference());
    }

    @Test
    void theHelpOfTheLauncherNamesEveryCommandWithItsVerbs() throws IOException {
        String launcher = Files.readString(ROOT.resolve("distribution/src/main/resources/bin/felice"));
        String help = launcher.substring(launcher.indexOf("<<'HELP'"), launcher.indexOf("\nHELP\n"));

        for (Map.Entry<String, CommandLine> command : felice().getSubcommands().entrySet()) {
            assertThat(help).containsPattern("(?m)^  " + command.getKey() + "\\b");
            assertThat(launcher.replaceFirst("(?s)print_help\\(\\).*", ""))
                    .as("the dispatch")
                    .contains(command.getKey());
            for (String verb : new TreeSet<>(command.getValue().getSubcommands().keySet())) {
                assertThat(help).containsPattern("(?m)^  " + command.getKey() + " .*\\b" + verb + "\\b");
            }
        }
        NodeCommands.described().keySet().forEach(name -> assertThat(help).containsPattern("(?m)^  " + name + "\\b"));
    }

    @Test
    void everyCommandAndOptionIsDescribed() {
        withAllBelow(felice()).forEach(command -> {
            assertThat(command.getCommandSpec().usageMessage().description())
                    .as(command.getCommandSpec().qualifiedName())
                    .isNotEmpty();
            command.getCommandSpec().options().forEach(option -> assertThat(option.description())
                    .as(command.getCommandSpec().qualifiedName() + " " + option.longestName())
                    .isNotEmpty());
        });
    }
}
