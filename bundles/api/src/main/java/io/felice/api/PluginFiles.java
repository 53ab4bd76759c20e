package io.felice.api;

import java.nio.file.Path;
import org.osgi.framework.BundleContext;

/**
 * Where plugins keep files: each has a directory of its own below the data directory of the node. An update of the plugin
 * and an upgrade of Felice keep it; so does the removal of the plugin, and an operator deletes it then. The data area of
 * the framework ({@link BundleContext#getDataFile}) is a part of the bundle cache, which an upgrade clears.
 */
public final class PluginFiles {
    /** The name of the directory that has those of the plugins. */
    public static final String PLUGINS_DATA = "plugins-data";

    private static final String DATA = "felice.data";
    private static final String BASE = "karaf.base";

    private PluginFiles() {}

    /**
     * The directory of a plugin: {@code plugins-data/} and the symbolic name of its bundle. The method does no I/O: whoever
     * writes the first file makes the directory. Any thread.
     *
     * @param context the context of the plugin's bundle, which the constructor of a component may have as an argument
     */
    public static Path directory(BundleContext context) {
        String data = context.getProperty(DATA);
        Path node = data != null ? Path.of(data) : Path.of(String.valueOf(context.getProperty(BASE)), "felice");
        return node.resolve(PLUGINS_DATA).resolve(context.getBundle().getSymbolicName());
    }
}
