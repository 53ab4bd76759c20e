package io.felice.config;

import io.felice.api.Launch;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.ConfigurationPlugin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks through every configuration of ours on its way from the file to the components, and hands out only what they can
 * read: a value that is none, or out of range, gives way to the last good one.
 *
 * <p>At the start there is no last good one. Then the launch fails with a sentence, and the component is kept from coming up
 * with a default that nobody asked for (another broker's id, another port).
 *
 * <p>Any thread; one at a time.
 */
@Component(immediate = true, property = ConfigurationPlugin.CM_RANKING + ":Integer=900")
public final class ConfigurationCheck implements ConfigurationPlugin {
    private static final Logger log = LoggerFactory.getLogger(ConfigurationCheck.class);

    /** Keys that the platform adds to what a file says. */
    private static final List<String> PLATFORM =
            List.of("service.", "felix.", "component.", "config.", "org.apache.", ".");

    private final Settings settings;
    private final BooleanSupplier hasServed;
    private final Consumer<String> failLaunch;
    private final Consumer<String> warn;

    /** By PID: what was handed out last and had nothing wrong in it, or was made so. */
    private final Map<String, Map<String, Object>> lastGood = new HashMap<>();

    /** By PID: what was said of it last, so that it is not said again to each who asks. */
    private final Map<String, Set<String>> said = new HashMap<>();

    @Activate
    public ConfigurationCheck(BundleContext context) {
        this(new Descriptors(context), Launch::hasServed, Launch::failed, log::warn);
    }

    /**
     * @param hasServed whether it is too late for a launch to fail
     * @param failLaunch takes the sentence why the node cannot run
     * @param warn takes a sentence for the log
     */
    ConfigurationCheck(
            Settings settings, BooleanSupplier hasServed, Consumer<String> failLaunch, Consumer<String> warn) {
        this.settings = settings;
        this.hasServed = hasServed;
        this.failLaunch = failLaunch;
        this.warn = warn;
    }

    @Override
    public synchronized void modifyConfiguration(ServiceReference<?> asker, Dictionary<String, Object> properties) {
        Object pid = properties.get(Constants.SERVICE_PID);
        if (pid != null && pid.toString().startsWith(Descriptors.PREFIX)) {
            Map<String, Setting> known = settings.of(pid.toString());
            if (!known.isEmpty()) {
                check(pid.toString(), known, properties);
            }
        }
    }

    private void check(String pid, Map<String, Setting> known, Dictionary<String, Object> properties) {
        String file = file(pid, properties);
        Set<String> sentences = new HashSet<>();
        Map<String, String> refused = new TreeMap<>();
        for (String key : Collections.list(properties.keys())) {
            Object value = properties.get(key);
            Setting setting = known.get(key);
            if (setting != null) {
                setting.objection(value)
                        .ifPresentOrElse(expected -> refused.put(key, expected), () -> trim(properties, key));
            } else if (PLATFORM.stream().noneMatch(key::startsWith)) {
                say(pid, sentences, file + ": " + key + " is no setting and is ignored." + hint(pid, key, known));
            }
        }
        if (refused.isEmpty()) {
            lastGood.put(pid, copy(properties));
        } else if (lastGood.containsKey(pid) || hasServed.getAsBoolean()) {
            goOn(pid, file, refused, properties, sentences);
        } else {
            refuse(pid, file, refused, known, properties, sentences);
        }
        said.put(pid, sentences);
    }

    private static void trim(Dictionary<String, Object> properties, String key) {
        if (properties.get(key) instanceof String text) {
            properties.put(key, text.trim());
        }
    }

    /** The node runs: what it had stays in force. */
    private void goOn(
            String pid,
            String file,
            Map<String, String> refused,
            Dictionary<String, Object> properties,
            Set<String> sentences) {
        Map<String, Object> good = lastGood.getOrDefault(pid, Map.of());
        refused.forEach((key, expected) -> {
            String sentence = sentence(file, key, properties.get(key), expected);
            Object before = good.get(key);
            if (before == null) {
                properties.remove(key);
                say(pid, sentences, sentence + " The default is in force until that is corrected.");
            } else {
                properties.put(key, before);
                say(pid, sentences, sentence + " It stays " + before + " until that is corrected.");
            }
        });
        lastGood.put(pid, copy(properties));
    }

    /** The node starts: it shall not run with what was not meant, so no component that reads this comes up. */
    private void refuse(
            String pid,
            String file,
            Map<String, String> refused,
            Map<String, Setting> known,
            Dictionary<String, Object> properties,
            Set<String> sentences) {
        List<String> all = new ArrayList<>();
        refused.forEach((key, expected) -> all.add(sentence(file, key, properties.get(key), expected)));
        String reason = String.join(" ", all);
        sentences.add(reason);
        if (!said.getOrDefault(pid, Set.of()).contains(reason)) {
            failLaunch.accept(reason);
        }
        known.forEach((key, setting) -> {
            if (setting.kind() == Setting.Kind.WHOLE_NUMBER) {
                properties.put(key, "refused, see " + file);
            }
        });
    }

    private void say(String pid, Set<String> sentences, String sentence) {
        sentences.add(sentence);
        if (!said.getOrDefault(pid, Set.of()).contains(sentence)) {
            warn.accept(sentence);
        }
    }

    private static String sentence(String file, String key, Object value, String expected) {
        return file + ": " + key + " is \"" + value + "\", but it must be " + expected + ".";
    }

    private String hint(String pid, String key, Map<String, Setting> known) {
        Optional<String> meant = NearMiss.of(key, known.keySet());
        if (meant.isPresent()) {
            return " Did you mean " + meant.get() + "?";
        }
        return settings.pids().stream()
                .filter(other -> !other.equals(pid) && settings.of(other).containsKey(key))
                .findFirst()
                .map(other -> " It belongs in " + other + ".cfg.")
                .orElse("");
    }

    private static String file(String pid, Dictionary<String, Object> properties) {
        Object origin = properties.get("felix.fileinstall.filename");
        try {
            return origin == null ? pid : Path.of(URI.create(origin.toString())).toString();
        } catch (IllegalArgumentException noFile) {
            return pid;
        }
    }

    private static Map<String, Object> copy(Dictionary<String, Object> properties) {
        Map<String, Object> copy = new HashMap<>();
        Collections.list(properties.keys()).forEach(key -> copy.put(key, properties.get(key)));
        return copy;
    }
}
