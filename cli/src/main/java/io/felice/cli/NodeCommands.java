package io.felice.cli;

import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The commands of the launcher itself, which start, stop and keep a node: known here for completion and for docs/cli.md. */
final class NodeCommands {
    private static final String START = "--host --port --zookeeper-port --zookeeper --ensemble --broker-id --heap";

    /** What each does, and its options. */
    private static final Map<String, String[]> ALL = new TreeMap<>(Map.ofEntries(
            Map.entry("run", new String[] {
                "Starts the node in the foreground; Ctrl-C stops it cleanly.", START + " --console --log"
            }),
            Map.entry("start", new String[] {"Starts the node in the background and waits until it serves.", START}),
            Map.entry("stop", new String[] {"Stops the node and waits until it is gone.", ""}),
            Map.entry(
                    "status",
                    new String[] {"Says whether the node runs and serves, and which parts do not, and why.", ""}),
            Map.entry(
                    "exec", new String[] {"Runs a shell command in the running node: felice exec felice:status.", ""}),
            Map.entry("metadata-repair", new String[] {
                "Says what is lost of a metadata log with holes; with --yes, goes on with what is left.", "--yes"
            }),
            Map.entry("invite", new String[] {"Writes what another node needs to join the cluster of this node.", ""}),
            Map.entry(
                    "join",
                    new String[] {"Takes what invite has written into the empty data directory of a new node.", ""}),
            Map.entry("zookeeper", new String[] {"Runs a ZooKeeper server without a broker in the foreground.", START}),
            Map.entry(
                    "systemd", new String[] {"Prints a systemd unit that runs this installation.", START + " --user"}),
            Map.entry("version", new String[] {"Prints the version.", ""}),
            Map.entry("help", new String[] {"Prints the commands and the options of the node.", ""})));

    private NodeCommands() {}

    /** What each command does, by its name. */
    static Map<String, String> described() {
        Map<String, String> described = new TreeMap<>();
        ALL.forEach((name, about) -> described.put(name, about[0]));
        return described;
    }

    static void addTo(CommandLine felice) {
        ALL.forEach((name, about) -> {
            CommandSpec spec = CommandSpec.create().name(name);
            spec.usageMessage().description(about[0]);
            for (String option : (about[1] + " --data --etc").trim().split(" ")) {
                boolean isFlag = option.equals("--console") || option.equals("--yes");
                spec.addOption(OptionSpec.builder(option)
                        .type(isFlag ? boolean.class : String.class)
                        .arity(isFlag ? "0" : "1")
                        .build());
            }
            felice.addSubcommand(name, spec);
        });
    }
}
