package io.felice.shell;

import static io.felice.api.ErrorCode.POLICY_VIOLATION;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.Configuration.ConfigurationAttribute;
import org.osgi.service.cm.ConfigurationAdmin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The levels of the node's loggers: the effective ones, and their configuration, a file of etc. Any thread. */
final class LogLevels {
    static final String ROOT = "ROOT";
    static final String DEFAULT = "DEFAULT";

    /** The most loggers with a level of their own. */
    static final int MOST_LOGGERS = 1_000;

    private static final String PID = "org.ops4j.pax.logging";
    private static final List<String> LEVELS = List.of("OFF", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL");
    private static final String PREFIX = "log4j2.logger.";
    private static final Pattern NAME = Pattern.compile("log4j2\\.logger\\.([^.]+)\\.name");
    private static final String ROOT_LEVEL = "log4j2.rootLogger.level";

    private final ConfigurationAdmin admin;

    LogLevels(ConfigurationAdmin admin) {
        this.admin = admin;
    }

    /** The effective level of a logger. {@value #ROOT} stands for all loggers without their own level. */
    static String inForce(String logger) {
        Logger asked = LoggerFactory.getLogger(logger.equals(ROOT) ? "" : logger);
        if (asked.isTraceEnabled()) {
            return "TRACE";
        } else if (asked.isDebugEnabled()) {
            return "DEBUG";
        } else if (asked.isInfoEnabled()) {
            return "INFO";
        } else if (asked.isWarnEnabled()) {
            return "WARN";
        }
        return asked.isErrorEnabled() ? "ERROR" : "OFF";
    }

    /** The loggers with their own level. */
    Set<String> configured() throws IOException {
        Set<String> loggers = new TreeSet<>(Set.of(ROOT));
        Dictionary<String, Object> properties = configuration().getProperties();
        for (String key : Collections.list(properties.keys())) {
            if (NAME.matcher(key).matches()) {
                loggers.add(properties.get(key).toString());
            }
        }
        return loggers;
    }

    /**
     * Sets the level of a logger, or removes the level if it is {@value #DEFAULT}.
     *
     * @return a sentence with the new level and how long it applies
     */
    String set(String level, String logger) throws IOException {
        String wanted = checked(level);
        Configuration configuration = configuration();
        Dictionary<String, Object> properties = change(configuration.getProperties(), wanted, logger);
        update(configuration, properties);
        String what = wanted.equals(DEFAULT) ? logger + " has no level of its own" : logger + " logs at " + wanted;
        return what + " from now on, " + howLong(properties);
    }

    /** A configuration whose file cannot be written is read-only. It is changed in memory only. */
    private static void update(Configuration configuration, Dictionary<String, Object> properties) throws IOException {
        if (!configuration.getAttributes().contains(ConfigurationAttribute.READ_ONLY)) {
            configuration.update(properties);
            return;
        }
        configuration.removeAttributes(ConfigurationAttribute.READ_ONLY);
        try {
            configuration.update(properties);
        } finally {
            configuration.addAttributes(ConfigurationAttribute.READ_ONLY);
        }
    }

    private static String checked(String level) {
        String wanted = level.toUpperCase(Locale.ROOT);
        if (!wanted.equals(DEFAULT) && !LEVELS.contains(wanted)) {
            throw new IllegalArgumentException("There is no log level " + level + ". There are "
                    + String.join(", ", LEVELS) + ", and " + DEFAULT + ", which removes the logger's own level.");
        }
        return wanted;
    }

    static Dictionary<String, Object> change(Dictionary<String, Object> before, String level, String logger) {
        Dictionary<String, Object> after = new Hashtable<>();
        Collections.list(before.keys()).forEach(key -> after.put(key, before.get(key)));
        if (logger.equals(ROOT)) {
            if (level.equals(DEFAULT)) {
                throw new IllegalArgumentException("The logger " + ROOT + " needs a level.");
            }
            after.put(ROOT_LEVEL, level);
            return after;
        }
        Optional<String> known = keyOf(after, logger);
        if (known.isEmpty() && !level.equals(DEFAULT)) {
            mustHaveRoom(after);
        }
        String key = PREFIX + known.orElse(logger.replaceAll("[^A-Za-z0-9]", "_"));
        if (level.equals(DEFAULT)) {
            after.remove(key + ".name");
            after.remove(key + ".level");
        } else {
            after.put(key + ".name", logger);
            after.put(key + ".level", level);
        }
        return after;
    }

    private static void mustHaveRoom(Dictionary<String, Object> properties) {
        long loggers = Collections.list(properties.keys()).stream()
                .filter(key -> NAME.matcher(key).matches())
                .count();
        if (loggers >= MOST_LOGGERS) {
            throw POLICY_VIOLATION.because(loggers + " loggers have a level of their own, and no more than "
                    + MOST_LOGGERS + " may. Take the level of another away first.");
        }
    }

    private static Optional<String> keyOf(Dictionary<String, Object> properties, String logger) {
        return Collections.list(properties.keys()).stream()
                .filter(key -> logger.equals(properties.get(key)))
                .map(NAME::matcher)
                .filter(Matcher::matches)
                .map(matcher -> matcher.group(1))
                .findFirst();
    }

    /** The launcher decides whether the file is written; see {@code felix.fileinstall.enableConfigSave}. */
    private static String howLong(Dictionary<String, Object> properties) {
        Object origin = properties.get("felix.fileinstall.filename");
        Path file = origin == null ? null : Path.of(URI.create(origin.toString()));
        if (file == null || !Boolean.getBoolean("felice.etc.kept")) {
            return "until the node stops: etc is not written, because it is read-only or other nodes may use it too.";
        } else if (!Files.isWritable(file)) {
            return "until the node stops: " + file + " cannot be written.";
        }
        return "also after a restart: it is written to " + file + ".";
    }

    private Configuration configuration() throws IOException {
        return admin.getConfiguration(PID, null);
    }
}
