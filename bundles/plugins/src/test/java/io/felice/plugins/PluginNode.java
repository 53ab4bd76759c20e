package io.felice.plugins;

import io.felice.api.plugin.Plugin;
import io.felice.api.plugin.ProvidedExtension;
import java.io.File;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.felix.framework.FrameworkFactory;
import org.awaitility.Awaitility;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.launch.Framework;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.runtime.ServiceComponentRuntime;

/** A framework with Declarative Services and the keeper of plugins, in this JVM. One thread. */
final class PluginNode {
    private final Path data;
    private final Map<String, Object> settings = new HashMap<>();
    private final Map<ProvidedExtension, List<String>> users = new HashMap<>();
    private Framework framework;
    private DirectoryPlugins plugins;

    PluginNode(Path data) {
        this.data = data;
        settings.put("directory", data.resolve("plugins").toString());
        settings.put("poll_ms", 50);
        settings.put("patience_ms", 1_000);
    }

    PluginNode with(String setting, Object value) {
        settings.put(setting, value);
        return this;
    }

    /** From now on, these use an extension. */
    void use(ProvidedExtension extension, String... by) {
        users.put(extension, List.of(by));
    }

    PluginNode start() throws Exception {
        Map<String, String> configuration = new TreeMap<>();
        configuration.put(Constants.FRAMEWORK_STORAGE, data.resolve("cache").toString());
        configuration.put(Constants.FRAMEWORK_BEGINNING_STARTLEVEL, "100");
        configuration.put(Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, String.join(",", exported()));
        configuration.put("felix.log.level", "0");
        framework = new FrameworkFactory().newFramework(configuration);
        framework.start();
        for (String library : List.of("org.apache.felix.configadmin", "org.apache.felix.scr")) {
            Bundle bundle = context().installBundle("file:" + onClassPath(library));
            bundle.start();
        }
        keep();
        return this;
    }

    /** Replaces the keeper, as an update of the bundle {@code plugins} does. */
    void swap() throws Exception {
        plugins.close();
        keep();
    }

    private void keep() {
        plugins = new DirectoryPlugins(
                context(),
                service(ServiceComponentRuntime.class),
                service(ConfigurationAdmin.class),
                settings(),
                extensions -> extensions.stream()
                        .flatMap(extension -> users.getOrDefault(extension, List.of()).stream())
                        .toList());
    }

    private static List<String> exported() {
        return List.of(
                "org.slf4j;version=1.7.36",
                "org.osgi.service.component;version=1.5",
                "org.osgi.service.component.runtime;version=1.5",
                "org.osgi.service.component.runtime.dto;version=1.5",
                "org.osgi.util.promise;version=1.3",
                "org.osgi.util.function;version=1.2",
                "org.osgi.service.cm;version=1.6",
                "io.felice.api;version=1.0.0",
                "io.felice.api.security;version=1.0.0",
                "io.felice.api.storage;version=1.0.0",
                "io.felice.api.status;version=1.0.0");
    }

    private static String onClassPath(String artifact) {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> entry.contains(artifact + "-"))
                .findFirst()
                .orElseThrow();
    }

    private PluginSettings settings() {
        return (PluginSettings) Proxy.newProxyInstance(
                PluginSettings.class.getClassLoader(),
                new Class<?>[] {PluginSettings.class},
                (proxy, method, arguments) -> settings.getOrDefault(method.getName(), method.getDefaultValue()));
    }

    <T> T service(Class<T> type) {
        return context().getService(context().getServiceReference(type));
    }

    BundleContext context() {
        return framework.getBundleContext();
    }

    DirectoryPlugins plugins() {
        return plugins;
    }

    Path directory() {
        return data.resolve("plugins");
    }

    /** Stops everything, as {@code felice stop} does. */
    void stop() throws Exception {
        plugins.close();
        framework.stop();
        framework.waitForStop(TimeUnit.SECONDS.toMillis(10));
    }

    void restart() throws Exception {
        stop();
        start();
    }

    Optional<Plugin> plugin(String name) {
        return plugins.list().stream()
                .filter(plugin -> plugin.name().equals(name))
                .findFirst();
    }

    /** What a plugin is said to be; empty if there is none of that name. */
    String words(String name) {
        return plugin(name).map(Plugin::sentence).orElse("");
    }

    Plugin await(String name, String words) {
        Awaitility.await(name + " " + words + ", and not: " + plugins.list())
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> words(name).contains(words));
        return plugin(name).orElseThrow();
    }

    void awaitVersion(String name, String version) {
        Awaitility.await(name + " " + version + ", and not: " + plugins.list())
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> plugin(name).map(Plugin::version).orElse("").equals(version));
    }

    void awaitFile(String file, String words) {
        Awaitility.await(file + " " + words + ", and not: " + plugins.list())
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> plugins.list().stream()
                        .anyMatch(plugin ->
                                plugin.file().equals(file) && plugin.sentence().contains(words)));
    }

    void configure(String pid) throws Exception {
        service(ConfigurationAdmin.class).getConfiguration(pid, "?").update(new Hashtable<>(Map.of("a", "b")));
    }

    void awaitNoBundle(String symbolicName) {
        awaitBundles(symbolicName, 0);
    }

    void awaitBundles(String symbolicName, int count) {
        Awaitility.await(count + " bundles " + symbolicName)
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> Arrays.stream(context().getBundles())
                                .filter(bundle -> symbolicName.equals(bundle.getSymbolicName()))
                                .count()
                        == count);
    }

    /** Waits for the first look at the directory. */
    void awaitLooked() {
        Awaitility.await("the first look")
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> plugins.troubles().stream()
                        .noneMatch(trouble -> trouble.reason().contains("are being started")));
    }

    void awaitGone(String name) {
        Awaitility.await(name + " is gone")
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> plugin(name).isEmpty());
    }

    /** The bundle of that symbolic name that runs. */
    Optional<Bundle> bundle(String symbolicName) {
        return Arrays.stream(context().getBundles())
                .filter(bundle -> symbolicName.equals(bundle.getSymbolicName()))
                .filter(bundle -> bundle.getState() == Bundle.ACTIVE)
                .findFirst();
    }
}
