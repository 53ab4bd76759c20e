package io.felice.config;

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
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.ConfigurationEvent;
import org.osgi.service.cm.ConfigurationListener;
import org.osgi.service.cm.ConfigurationPlugin;

/**
 * Checks every configuration of Felice and of plugins before a component gets it. If a value cannot be read or is out of range, the
 * component gets the last good value instead.
 *
 * <p>At the start there is no last good value. Then the launch fails with a sentence and the component does not start:
 * with the default value the node could have another broker id or port than the operator wanted. A component of a plugin does
 * not start either, and the node starts without it.
 *
 * <p>Any thread; one at a time.
 */
final class ConfigurationCheck implements ConfigurationPlugin, ConfigurationListener {
    /** Prefixes of keys that OSGi and Karaf add to the keys of a file. */
    private static final List<String> PLATFORM =
            List.of("service.", "felix.", "component.", "config.", "org.apache.", ".");

    /** Declarative Services does not activate a component while this condition is not satisfied, and logs nothing. */
    static final String UNSATISFIABLE = "osgi.ds.satisfying.condition.target";

    private final KnownSettings settings;
    private final Supplier<List<Dictionary<String, Object>>> configurations;
    private final BooleanSupplier hasServed;
    private final Consumer<String> failLaunch;
    private final Consumer<String> warn;
    private final UnreadFiles unread;
    private final AtomicBoolean hasLooked = new AtomicBoolean();

    /** By PID: the last configuration that a component got, with its mistakes replaced. */
    private final Map<String, Map<String, Object>> lastGood;

    /**
     * By PID: the sentences about the last configuration. A sentence is logged once, although Configuration Admin calls
     * this class for each component with the configuration.
     */
    private final Map<String, Set<String>> said = new HashMap<>();

    /**
     * @param configurations all configurations of Felice, as they are in the files
     * @param lastGood by PID; outlives this object
     * @param hasServed true when the node has served, so that the launch cannot fail any more
     * @param failLaunch gets the sentence that says why the node cannot run
     * @param warn gets a sentence for the log
     */
    ConfigurationCheck(
            KnownSettings settings,
            Supplier<List<Dictionary<String, Object>>> configurations,
            Map<String, Map<String, Object>> lastGood,
            BooleanSupplier hasServed,
            Consumer<String> failLaunch,
            Consumer<String> warn) {
        this.settings = settings;
        this.configurations = configurations;
        this.lastGood = lastGood;
        this.hasServed = hasServed;
        this.failLaunch = failLaunch;
        this.warn = warn;
        unread = new UnreadFiles(settings, configurations, warn);
    }

    /**
     * Looks for files that belong to no bundle. No component has the configuration of such a file, so
     * {@link #modifyConfiguration} is never called with it.
     */
    @Override
    public void configurationEvent(ConfigurationEvent event) {
        if (event.getPid().startsWith(Descriptors.PREFIX)) {
            unread.look();
        }
    }

    @Override
    public void modifyConfiguration(ServiceReference<?> asker, Dictionary<String, Object> properties) {
        String pid = Origin.pid(properties);
        boolean isOurs = Descriptors.isOurs(pid);
        if (isOurs && hasLooked.compareAndSet(false, true)) {
            unread.look();
        }
        Map<String, Setting> known = settings.of(Origin.kind(properties));
        if (!known.isEmpty()) {
            Map<String, String> refused = refused(known, properties);
            check(pid, known, refused, properties, isOurs && isRefusal(refused) ? mistakesElsewhere(pid) : Map.of());
        }
    }

    /** The key of each bad value, and the description of good values. */
    private static Map<String, String> refused(Map<String, Setting> known, Dictionary<String, Object> properties) {
        Map<String, String> refused = new TreeMap<>();
        for (String key : Collections.list(properties.keys())) {
            Optional.ofNullable(known.get(key))
                    .flatMap(setting -> setting.objection(properties.get(key)))
                    .ifPresent(expected -> refused.put(key, expected));
        }
        return refused;
    }

    boolean findsMistakes(Dictionary<String, Object> properties) {
        return !refused(settings.of(Origin.kind(properties)), properties).isEmpty();
    }

    private boolean isRefusal(Map<String, String> refused) {
        return !refused.isEmpty() && !hasServed.getAsBoolean();
    }

    /** By PID: the mistakes in the other files, so that the operator can correct all at once. */
    private Map<String, List<String>> mistakesElsewhere(String pid) {
        Map<String, List<String>> mistakes = new TreeMap<>();
        for (Dictionary<String, Object> other : configurations.get()) {
            Map<String, String> refused = refused(settings.of(Origin.pid(other)), other);
            if (!Origin.pid(other).equals(pid) && !refused.isEmpty()) {
                mistakes.put(Origin.pid(other), sentences(refused, other));
            }
        }
        return mistakes;
    }

    private synchronized void check(
            String pid,
            Map<String, Setting> known,
            Map<String, String> refused,
            Dictionary<String, Object> properties,
            Map<String, List<String>> elsewhere) {
        String file = Origin.file(properties);
        Set<String> sentences = new HashSet<>();
        for (String key : Collections.list(properties.keys())) {
            if (known.containsKey(key)) {
                trim(properties, key);
            } else if (PLATFORM.stream().noneMatch(key::startsWith)) {
                say(pid, sentences, file + ": " + key + " is no setting and is ignored." + hint(pid, key, known));
            }
        }
        if (refused.isEmpty()) {
            lastGood.put(pid, copy(properties));
        } else if (lastGood.containsKey(pid) || hasServed.getAsBoolean()) {
            goOn(pid, file, refused, properties, sentences);
        } else if (Descriptors.isOurs(pid)) {
            refuse(pid, refused, properties, sentences, elsewhere);
        } else {
            leaveOut(pid, refused, properties, sentences);
        }
        said.put(pid, sentences);
    }

    private static void trim(Dictionary<String, Object> properties, String key) {
        if (properties.get(key) instanceof String text) {
            properties.put(key, text.trim());
        }
    }

    /** Called in a running node. Replaces each bad value by the last good value, or by the default if there is none. */
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
                say(pid, sentences, sentence + " The default applies until the value is corrected.");
            } else {
                properties.put(key, before);
                say(pid, sentences, sentence + " It stays " + Setting.text(before) + " until the value is corrected.");
            }
        });
        lastGood.put(pid, copy(properties));
    }

    /**
     * Called while the node starts. The component of this configuration does not start, so it never runs with a value
     * that the operator did not want.
     */
    private void refuse(
            String pid,
            Map<String, String> refused,
            Dictionary<String, Object> properties,
            Set<String> sentences,
            Map<String, List<String>> elsewhere) {
        List<String> all = new ArrayList<>(sentences(refused, properties));
        sentences.addAll(all);
        if (!said.getOrDefault(pid, Set.of()).containsAll(all)) {
            elsewhere.forEach((other, mistakes) -> {
                all.addAll(mistakes);
                said.computeIfAbsent(other, first -> new HashSet<>()).addAll(mistakes);
            });
            failLaunch.accept(String.join(" ", all));
        }
        properties.put(UNSATISFIABLE, "(felice.refused=" + pid + ")");
    }

    /** Called while the node starts. The node starts without the component of a plugin. */
    private void leaveOut(
            String pid, Map<String, String> refused, Dictionary<String, Object> properties, Set<String> sentences) {
        for (String sentence : sentences(refused, properties)) {
            say(pid, sentences, sentence + " The component of the plugin does not start until the value is corrected.");
        }
        properties.put(UNSATISFIABLE, "(felice.refused=" + pid + ")");
    }

    private static List<String> sentences(Map<String, String> refused, Dictionary<String, Object> properties) {
        List<String> sentences = new ArrayList<>();
        refused.forEach((key, expected) ->
                sentences.add(sentence(Origin.file(properties), key, properties.get(key), expected)));
        return sentences;
    }

    private void say(String pid, Set<String> sentences, String sentence) {
        sentences.add(sentence);
        if (!said.getOrDefault(pid, Set.of()).contains(sentence)) {
            warn.accept(sentence);
        }
    }

    private static String sentence(String file, String key, Object value, String expected) {
        return file + ": " + key + " is \"" + Setting.text(value) + "\", but it must be " + expected + ".";
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

    private static Map<String, Object> copy(Dictionary<String, Object> properties) {
        Map<String, Object> copy = new HashMap<>();
        Collections.list(properties.keys()).forEach(key -> copy.put(key, properties.get(key)));
        return copy;
    }
}
