package io.felice.itests.inside;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A row of the table in docs/limits.md.
 *
 * @param settings names of settings
 * @param number the name of a status table, a row of it or {@code *}, and a column
 */
record DocumentedLimit(String bundle, String what, List<String> settings, List<String> number) {
    private static final Pattern QUOTED = Pattern.compile("`([^`]+)`");
    private static final String FIRST_ROW = "| --- | --- | --- | --- | --- |";

    static List<DocumentedLimit> all() throws IOException {
        try (InputStream document = DocumentedLimit.class.getResourceAsStream("/limits.md")) {
            return new String(document.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .dropWhile(line -> !line.equals(FIRST_ROW))
                    .skip(1)
                    .takeWhile(line -> line.startsWith("|"))
                    .map(DocumentedLimit::of)
                    .toList();
        }
    }

    private static DocumentedLimit of(String line) {
        String[] cells = line.substring(1).trim().split("\\s*\\|\\s*");
        return new DocumentedLimit(cells[0], cells[1], quoted(cells[3]), quoted(cells[4]));
    }

    private static List<String> quoted(String cell) {
        return QUOTED.matcher(cell)
                .results()
                .map((MatchResult found) -> found.group(1))
                .toList();
    }
}
