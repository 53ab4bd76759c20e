package io.felice.api.config;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The settings in the files of this node: those of Felice's bundles and of plugins, as their descriptors describe them. Any
 * thread may call the methods; they may read descriptors, and do not block otherwise.
 */
@ProviderType
public interface NodeSettings {
    /** How a value is written. */
    enum Type {
        TEXT,
        WHOLE_NUMBER,
        NUMBER,
        FLAG
    }

    /**
     * A setting.
     *
     * @param theDefault null if there is none
     * @param min the smallest number; null if there is none
     * @param max the largest number; null if there is none
     * @param options the legal values; empty if there are others
     * @param isList true if it has several values, separated by commas
     */
    record Described(
            String key,
            Type type,
            String help,
            String theDefault,
            String min,
            String max,
            List<String> options,
            boolean isList) {
        public Described {
            options = List.copyOf(options);
        }

        /** True if its value must not be shown. */
        public boolean isSecret() {
            return key.contains("password") || key.endsWith(".secret");
        }
    }

    /**
     * What reads a configuration.
     *
     * @param pid the PID of the configuration
     * @param bundle the symbolic name of the bundle that reads it
     * @param isPlugin true if a plugin does
     */
    record Reader(String pid, String name, String help, String bundle, boolean isPlugin, List<Described> settings) {
        public Reader {
            settings = List.copyOf(settings);
        }
    }

    /** All that is installed and reads a configuration, by PID. */
    List<Reader> readers();

    /** @return empty if nothing that is installed reads the PID */
    Optional<Reader> reader(String pid);

    /**
     * Checks values as they are checked before a component gets them.
     *
     * @return what is wrong, by key: the end of a sentence that says what the value must be
     */
    Map<String, String> objections(String pid, Map<String, String> values);
}
