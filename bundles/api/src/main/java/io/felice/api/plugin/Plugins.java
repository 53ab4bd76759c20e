package io.felice.api.plugin;

import java.nio.file.Path;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The plugins of this node. What is in the directory {@code plugins/} decides which plugins run: each change here changes
 * that directory, and a file that somebody puts there or deletes is noticed within seconds.
 *
 * <p>Any thread may call the methods. {@link #list} does not block. {@link #check} reads the file on the calling thread.
 * The others return work that goes on by itself; one piece of work is done at a time.
 */
@ProviderType
public interface Plugins {
    /** The locations of all bundles of plugins begin with this. */
    String LOCATION = "felice-plugin:";

    /** All plugins, and all files that were left out, in the order of their names. */
    List<Plugin> list();

    /**
     * Reads a file and compares it with this node. Changes nothing.
     *
     * @param file a jar or an archive of jars on the node's machine; an absolute path
     * @throws io.felice.api.FeliceException INVALID_REQUEST if there is no such file
     */
    PluginCheck check(Path file);

    /**
     * Checks a file, copies it to {@code plugins/} and starts it. The outcome fails if the check refuses the file, and
     * then nothing was changed; it fails too if the plugin does not start, and then the file stays where it is.
     *
     * @param file as in {@link #check}
     */
    PluginWork install(Path file);

    /**
     * Replaces a plugin by another version. If the other version does not become healthy, the old one comes back, and
     * the outcome fails.
     *
     * @param name a name of {@link #list}
     * @param file as in {@link #check}; its plugin has the same name
     */
    PluginWork upgrade(String name, Path file);

    /** Replaces a plugin by its version before, or brings back the last version of a plugin that was removed. */
    PluginWork rollback(String name);

    /** Stops a plugin until it is enabled again, also after a restart of the node. Fails if the plugin is in use. */
    PluginWork disable(String name);

    /** Starts a plugin that was disabled, or tries again one that was left out. */
    PluginWork enable(String name);

    /** Stops a plugin and deletes its file from {@code plugins/}. Fails if the plugin is in use. */
    PluginWork remove(String name);
}
