package io.felice.cli;

import java.io.PrintWriter;
import java.lang.reflect.Constructor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IFactory;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;

/** The root of {@code felice}: everything but the commands that start, stop and keep a node, which the launcher has itself. */
@Command(
        name = "felice",
        description = "Runs a Felice node, and works with a cluster that speaks Kafka's protocol.",
        synopsisSubcommandLabel = "COMMAND")
public final class FeliceCommand {
    private static final Map<String, Class<?>> COMMANDS = new LinkedHashMap<>();

    static {
        COMMANDS.put("topic", TopicCommands.class);
        COMMANDS.put("group", GroupCommands.class);
        COMMANDS.put("produce", ProduceCommand.class);
        COMMANDS.put("consume", ConsumeCommand.class);
        COMMANDS.put("user", UserCommands.class);
        COMMANDS.put("acl", AclCommands.class);
        COMMANDS.put("quota", QuotaCommands.class);
        COMMANDS.put("broker", BrokerCommands.class);
        COMMANDS.put("cluster", ClusterCommands.class);
        COMMANDS.put("config", ConfigCommands.class);
        COMMANDS.put("bench", BenchCommands.class);
        COMMANDS.put("doctor", DoctorCommand.class);
        COMMANDS.put("plugin", PluginCommands.class);
        COMMANDS.put("completion", CompletionCommand.class);
    }

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            order = 110,
            description = "Prints this help.")
    boolean help;

    /** Exits with the code that docs/cli.md has. */
    public static void main(String[] arguments) {
        ClassArchive.check();
        System.exit(run(Terminal.ofProcess(), arguments));
    }

    /** Runs a command to its end and returns its exit code. */
    static int run(Terminal terminal, String... arguments) {
        // The other commands would take a third of the time of a short command.
        boolean isKnown =
                arguments.length > 0 && COMMANDS.containsKey(arguments[0]) && !arguments[0].equals("completion");
        CommandLine line = commandLine(terminal, isKnown ? Set.of(arguments[0]) : COMMANDS.keySet());
        int code = line.execute(arguments);
        line.getOut().flush();
        terminal.out().flush();
        return code;
    }

    /** All commands. */
    static CommandLine commandLine(Terminal terminal) {
        return commandLine(terminal, COMMANDS.keySet());
    }

    private static CommandLine commandLine(Terminal terminal, Set<String> names) {
        IFactory factory = new OfTerminal(terminal);
        CommandLine line = new CommandLine(new FeliceCommand(), factory);
        COMMANDS.forEach((name, type) -> {
            if (names.contains(name)) {
                line.addSubcommand(name, new CommandLine(type, factory));
            }
        });
        line.setOut(new PrintWriter(terminal.out(), false));
        line.setErr(new PrintWriter(terminal.err(), true));
        line.setColorScheme(CommandLine.Help.defaultColorScheme(
                terminal.isOutTerminal() && terminal.environment().get("NO_COLOR") == null
                        ? CommandLine.Help.Ansi.ON
                        : CommandLine.Help.Ansi.OFF));
        line.setUsageHelpWidth(Math.max(60, Math.min(120, terminal.columns() == 0 ? 100 : terminal.columns())));
        line.setUsageHelpLongOptionsMaxWidth(32);
        inReadableOrder(line);
        // @-1h is a time.
        line.setExpandAtFiles(false);
        line.setExecutionExceptionHandler(
                (failure, command, parsed) -> report(CliFailure.of(failure), wanted(parsed), terminal));
        line.setParameterExceptionHandler((wrong, words) -> report(usage(wrong), wanted(words), terminal));
        return line;
    }

    /** In the help a command's own options come before those that all commands have. */
    private static void inReadableOrder(CommandLine command) {
        command.getCommandSpec()
                .usageMessage()
                .sortOptions(false)
                .sortSynopsis(false)
                .abbreviateSynopsis(true);
        command.getSubcommands().values().forEach(FeliceCommand::inReadableOrder);
    }

    private static CliFailure usage(ParameterException wrong) {
        String command = wrong.getCommandLine().getCommandSpec().qualifiedName();
        List<String> alike = new ArrayList<>();
        if (wrong instanceof CommandLine.UnmatchedArgumentException unmatched) {
            alike.addAll(unmatched.getSuggestions());
        }
        String hint = alike.isEmpty() ? "" : "Did you mean: " + String.join(", ", alike) + "? ";
        return CliFailure.usage(wrong.getMessage(), hint + "See: " + command + " --help");
    }

    private static int report(CliFailure failure, String form, Terminal terminal) {
        terminal.out().flush();
        OutputOptions.Form known;
        try {
            known = OutputOptions.form(form, terminal);
        } catch (CliFailure unknownForm) {
            known = OutputOptions.Form.TABLE;
        }
        OutputOptions.print(failure, known, terminal.err());
        return failure.exitCode();
    }

    private static String wanted(ParseResult parsed) {
        ParseResult last = parsed;
        while (last.hasSubcommand()) {
            last = last.subcommand();
        }
        return wanted(last.originalArgs().toArray(String[]::new));
    }

    /** The form of output that was asked for, also if the other words cannot be understood. */
    private static String wanted(String[] words) {
        for (int i = 0; i < words.length; i++) {
            if (words[i].startsWith("--output=")) {
                return words[i].substring("--output=".length());
            } else if ((words[i].equals("-o") || words[i].equals("--output")) && i + 1 < words.length) {
                return words[i + 1];
            } else if (words[i].startsWith("-o") && words[i].length() > 2) {
                return words[i].substring(2);
            }
        }
        return null;
    }

    /** Makes commands and their options; those that need it get the terminal. */
    private record OfTerminal(Terminal terminal) implements IFactory {
        @Override
        public <K> K create(Class<K> type) throws Exception {
            for (Constructor<?> constructor : type.getDeclaredConstructors()) {
                if (constructor.getParameterCount() == 1 && constructor.getParameterTypes()[0] == Terminal.class) {
                    return type.cast(constructor.newInstance(terminal));
                }
            }
            return CommandLine.defaultFactory().create(type);
        }
    }
}
