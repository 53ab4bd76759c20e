package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.container.Launcher.Result;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the state of a running node: through its shell, and through {@code jcmd}. */
record Insides(Launcher node) {

    private static final Pattern COMPONENT = Pattern.compile("(io\\.felice\\.\\S+) in bundle .*");
    private static final Pattern STATE = Pattern.compile("State: ?([A-Z_ ]*[A-Z])");
    private static final Pattern CHANGED =
            Pattern.compile("\"lastModified\":(\\d+), [^}]*\"symbolicName\":\"([^\"]+)\"");
    private static final Pattern LOADED_CLASS = Pattern.compile("(?:[\\s|]|Classes: )*(io\\.felice\\.[\\w.$]+)");
    private static final Pattern THREAD = Pattern.compile("\"(.*)\" #\\d+ .*");

    /** Threads that the JVM or the framework starts at any time, and threads that serve this class. */
    private static final Pattern OTHER_THREADS = Pattern.compile(
            "Attach Listener|C[12] CompilerThread.*|FelixResolver.*|NIOWorkerThread.*|felice-commands|process reaper.*");

    /** Runs a shell command in the node and returns what it prints. */
    String shell(String line) throws IOException, InterruptedException {
        Result result = node.exec(line);
        assertThat(result.exitCode()).as(line + ": " + result.output()).isZero();
        return result.output();
    }

    /**
     * The components of Felice with the states of their instances. SATISFIED, of a lazy component, counts as ACTIVE.
     */
    Map<String, List<String>> components() throws IOException, InterruptedException {
        Map<String, List<String>> components = new TreeMap<>();
        List<String> states = new ArrayList<>();
        for (String line : shell("scr:list | cat").lines().toList()) {
            Matcher component = COMPONENT.matcher(line);
            Matcher state = STATE.matcher(line);
            if (component.matches()) {
                states = components.computeIfAbsent(component.group(1), name -> new ArrayList<>());
            } else if (state.find()) {
                states.add(state.group(1).equals("SATISFIED") ? "ACTIVE" : state.group(1));
            } else {
                states = new ArrayList<>();
            }
        }
        return components;
    }

    /** When the bundle was last installed or updated, in milliseconds. Only for bundles with components. */
    long lastModified(String bundle) throws IOException, InterruptedException {
        Matcher changed = CHANGED.matcher(shell("each (scr:list) { echo $it }"));
        while (changed.find()) {
            if (changed.group(2).equals(bundle)) {
                return Long.parseLong(changed.group(1));
            }
        }
        throw new IllegalStateException(bundle + " has no component");
    }

    /** The number of class loaders with classes of each of these bundles, after a full garbage collection. */
    Map<String, Integer> classLoaders(List<String> bundles) throws IOException, InterruptedException {
        jcmd("GC.run");
        Map<String, Integer> loaded = new HashMap<>();
        jcmd("VM.classloaders", "show-classes=true")
                .lines()
                .map(LOADED_CLASS::matcher)
                .filter(Matcher::matches)
                .forEach(matcher -> loaded.merge(matcher.group(1), 1, Integer::sum));
        Map<String, Integer> loaders = new TreeMap<>();
        for (String bundle : bundles) {
            loaded.forEach((name, times) -> {
                if (name.startsWith(bundle + ".")) {
                    loaders.merge(bundle, times, Math::max);
                }
            });
        }
        return loaders;
    }

    /** The number of threads by name; each number in a name is replaced by N. */
    Map<String, Integer> threads() throws IOException, InterruptedException {
        Map<String, Integer> threads = new TreeMap<>();
        jcmd("Thread.print")
                .lines()
                .map(THREAD::matcher)
                .filter(Matcher::matches)
                .map(matcher -> matcher.group(1))
                .filter(name -> !OTHER_THREADS.matcher(name).matches())
                .forEach(name -> threads.merge(name.replaceAll("\\d+", "N"), 1, Integer::sum));
        return threads;
    }

    /** The number of connections that the node has closed or refused, by reason. */
    Map<String, Long> cutConnections() throws IOException, InterruptedException {
        List<Map<String, String>> rows = table("network.connections");
        assertThat(rows).hasSize(1);
        Map<String, Long> row = new TreeMap<>();
        // The first cell is the name of the listener; all other cells are numbers.
        rows.get(0).entrySet().stream()
                .skip(1)
                .forEach(cell -> row.put(cell.getKey(), Long.parseLong(cell.getValue())));
        row.keySet().removeAll(List.of("open", "accepted", "closed"));
        assertThat(row).isNotEmpty();
        return row;
    }

    /** The rows of a table of {@code felice:status}: the cells by their columns, in the order of the columns. */
    List<Map<String, String>> table(String name) throws IOException, InterruptedException {
        List<List<String>> cells = shell("felice:status " + name)
                .lines()
                .filter(line -> line.contains("|"))
                .map(line -> List.of(line.trim().split("\\s*\\|\\s*")))
                .toList();
        assertThat(cells).as(name).isNotEmpty();
        List<String> columns = cells.get(0);
        // The first line has the names of the columns.
        return cells.stream().skip(1).map(row -> byColumn(columns, row)).toList();
    }

    private static Map<String, String> byColumn(List<String> columns, List<String> row) {
        Map<String, String> cells = new LinkedHashMap<>();
        for (int column = 0; column < columns.size(); column++) {
            cells.put(columns.get(column), row.get(column));
        }
        return cells;
    }

    private String jcmd(String... arguments) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/jcmd", Long.toString(node.pid())));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }
}
