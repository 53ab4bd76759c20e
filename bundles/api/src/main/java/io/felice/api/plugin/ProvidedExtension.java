package io.felice.api.plugin;

/**
 * A service that a plugin registers.
 *
 * @param kind what it is called in sentences, for example {@code storage engine}; for an unknown kind the name of its
 *     interface
 * @param name what settings call it, for example the value of {@code storage.engine}; empty if its kind has no names
 */
public record ProvidedExtension(String kind, String name) {
    @Override
    public String toString() {
        return name.isEmpty() ? kind : kind + " " + name;
    }
}
