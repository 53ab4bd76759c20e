package io.felice.cluster.zookeeper;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file of {@code etc}, read by a command of the launcher in a process without Karaf. Knows only the placeholders of
 * Felice's files: <code>${felice.data}</code> and <code>${env:NAME:-default}</code>. A default may have placeholders.
 */
final class CfgFile {
    /** One that has no other inside. */
    private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([^${}:]+)(?::([^${}:-]+))?(?::-([^${}]*))?}");

    private static final int DEEPEST = 3;

    private final Properties values = new Properties();
    private final Path data;
    private final Map<String, String> environment;

    private CfgFile(Path data, Map<String, String> environment) {
        this.data = data;
        this.environment = environment;
    }

    /** A file that does not exist has no values. */
    static CfgFile read(Path file, Path data, Map<String, String> environment) throws IOException {
        CfgFile cfg = new CfgFile(data, environment);
        if (Files.exists(file)) {
            try (Reader reader = Files.newBufferedReader(file)) {
                cfg.values.load(reader);
            }
        }
        return cfg;
    }

    String get(String key, String otherwise) {
        String value = values.getProperty(key, otherwise);
        for (int depth = 0; depth < DEEPEST; depth++) {
            value = PLACEHOLDER.matcher(value).replaceAll(this::meaning);
        }
        return value;
    }

    private String meaning(MatchResult placeholder) {
        String otherwise = placeholder.group(3) == null ? "" : placeholder.group(3);
        String meant = otherwise;
        if (placeholder.group(1).equals("felice.data")) {
            meant = data.toString();
        } else if (placeholder.group(1).equals("env")) {
            meant = environment.getOrDefault(placeholder.group(2), otherwise);
        }
        return Matcher.quoteReplacement(meant);
    }
}
