package io.felice.itests.architecture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * The table of ARCHITECTURE.md that says which packages a bundle may import.
 *
 * <p>A cell lists packages in backquotes. {@code api} stands for {@code io.felice.api.*}. The test ignores all other
 * words of a cell.
 *
 * @param rows by the name of the bundle
 */
record EdgeTable(Map<String, Row> rows) {
    private static final String HEADER = "| bundle | may import of ours | may import of others |";

    private static final Pattern PACKAGE = Pattern.compile("`([a-z0-9.]+(?:\\.\\*)?)`|\\b(api)\\b");

    /**
     * The packages that one bundle may import. A pattern that ends with {@code .*} means the package and all packages
     * below it.
     *
     * @param ours patterns of Felice's packages
     * @param theirs patterns of third parties' packages
     */
    record Row(List<String> ours, List<String> theirs) {
        boolean allows(String imported) {
            List<String> patterns = imported.startsWith("io.felice.") ? ours : theirs;
            return patterns.stream().anyMatch(pattern -> matches(pattern, imported));
        }
    }

    static EdgeTable read() {
        return parse(lines(Bundle.root().resolve("ARCHITECTURE.md")));
    }

    static EdgeTable parse(List<String> lines) {
        int header = lines.indexOf(HEADER);
        if (header < 0) {
            throw new IllegalStateException("ARCHITECTURE.md has no table with the header " + HEADER);
        }
        Map<String, Row> rows = new TreeMap<>();
        lines.stream().skip(header + 2L).takeWhile(line -> line.startsWith("|")).forEach(line -> {
            String[] cells = line.split("\\|", -1);
            rows.put(cells[1].trim(), new Row(packages(cells[2]), packages(cells[3])));
        });
        return new EdgeTable(rows);
    }

    Optional<Row> row(Bundle bundle) {
        return Optional.ofNullable(rows.get(bundle.name()));
    }

    static boolean matches(String pattern, String name) {
        if (!pattern.endsWith(".*")) {
            return pattern.equals(name);
        }
        String parent = pattern.substring(0, pattern.length() - 2);
        return name.equals(parent) || name.startsWith(parent + ".");
    }

    private static List<String> packages(String cell) {
        return PACKAGE.matcher(cell).results().map(EdgeTable::pattern).toList();
    }

    private static String pattern(MatchResult found) {
        return found.group(1) == null ? "io.felice.api.*" : found.group(1);
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
