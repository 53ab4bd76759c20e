package io.felice.itests.container;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.security.CredentialStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Packs plugins, good and bad ones. A plugin is named after its credential store, or after its storage engine. */
final class PluginFiles {
    private final Path directory;

    PluginFiles(Path directory) {
        this.directory = directory;
    }

    /** A credential store without a mistake. */
    public static final class Good implements CredentialStore {
        @Override
        public boolean hasPassword(String user, byte[] password) {
            return true;
        }
    }

    /** A credential store that throws when it is activated. */
    public static final class Throwing implements CredentialStore {
        public Throwing() {
            throw new IllegalStateException("the vault is closed");
        }

        @Override
        public boolean hasPassword(String user, byte[] password) {
            return false;
        }
    }

    /** An activator that never comes back. */
    public static final class Hanging implements BundleActivator {
        @Override
        public void start(BundleContext context) {
            while (true) {
                try {
                    Thread.sleep(1_000);
                } catch (InterruptedException ignored) {
                    // It does not listen either.
                }
            }
        }

        @Override
        public void stop(BundleContext context) {
            start(context);
        }
    }

    /** A plugin with a credential store of this class, which has the name of the plugin. */
    Path store(String name, String version, Class<?> store) throws IOException {
        return pack(name, version, store, Map.of(), Map.of());
    }

    Path hanging(String name, String version) throws IOException {
        return pack(name, version, Good.class, Map.of("Bundle-Activator", Hanging.class.getName()), Map.of());
    }

    Path importing(String name, String version, String packages) throws IOException {
        return pack(name, version, Good.class, Map.of("Import-Package", packages), Map.of());
    }

    Path withTheApiInside(String name, String version) throws IOException {
        return pack(
                name,
                version,
                Good.class,
                Map.of("Import-Package", "org.osgi.framework"),
                Map.of("io/felice/api/security/CredentialStore.class", classFile(CredentialStore.class)));
    }

    private Path pack(
            String name, String version, Class<?> store, Map<String, String> headers, Map<String, byte[]> more)
            throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>(more);
        for (Class<?> each : new Class<?>[] {PluginFiles.class, Good.class, Throwing.class, Hanging.class}) {
            entries.put(each.getName().replace('.', '/') + ".class", classFile(each));
        }
        entries.put("OSGI-INF/store.xml", descriptor(name, store).getBytes(UTF_8));
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.putValue("Bundle-ManifestVersion", "2");
        attributes.putValue("Bundle-SymbolicName", name);
        attributes.putValue("Bundle-Version", version);
        attributes.putValue("Service-Component", "OSGI-INF/store.xml");
        attributes.putValue("Import-Package", "io.felice.api.security;version=\"[1,2)\",org.osgi.framework");
        headers.forEach(attributes::putValue);
        return write(name + ".jar", manifest, entries);
    }

    private static byte[] classFile(Class<?> type) throws IOException {
        try (InputStream in =
                type.getClassLoader().getResourceAsStream(type.getName().replace('.', '/') + ".class")) {
            return in.readAllBytes();
        }
    }

    private static String descriptor(String name, Class<?> store) {
        return "<scr:component xmlns:scr='http://www.osgi.org/xmlns/scr/v1.3.0' name='" + name
                + "'><implementation class='"
                + store.getName() + "'/><property name='" + CredentialStore.NAME + "' value='" + name
                + "'/><service><provide interface='" + CredentialStore.class.getName()
                + "'/></service></scr:component>";
    }

    /** The engine {@code memory} of an installation under another name. */
    Path engine(Path home, String name, String version) throws IOException {
        Path original;
        try (Stream<Path> files = Files.find(
                home.resolve("system/io/felice/io.felice.storage.memory"), 2, (file, attributes) -> file.toString()
                        .endsWith(".jar"))) {
            original = files.findFirst().orElseThrow();
        }
        Map<String, byte[]> entries = new LinkedHashMap<>();
        Manifest manifest;
        try (JarFile jar = new JarFile(original.toFile())) {
            manifest = jar.getManifest();
            for (var entry : jar.stream().filter(each -> !each.isDirectory()).toList()) {
                try (InputStream in = jar.getInputStream(entry)) {
                    entries.put(entry.getName(), in.readAllBytes());
                }
            }
        }
        entries.keySet().removeIf(entry -> entry.startsWith("META-INF/") || entry.startsWith("OSGI-INF/metatype/"));
        entries.replaceAll((entry, content) -> entry.endsWith(".xml")
                ? new String(content, UTF_8)
                        .replace("value=\"memory\"", "value=\"" + name + "\"")
                        .replace("configuration-pid=\"io.felice.storage.memory\"", "configuration-pid=\"" + name + "\"")
                        .getBytes(UTF_8)
                : content);
        manifest.getMainAttributes().putValue("Bundle-SymbolicName", name);
        manifest.getMainAttributes().putValue("Bundle-Version", version);
        return write(name + ".jar", manifest, entries);
    }

    private Path write(String fileName, Manifest manifest, Map<String, byte[]> entries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JarOutputStream jar = new JarOutputStream(bytes, manifest)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                jar.putNextEntry(new ZipEntry(entry.getKey()));
                new ByteArrayInputStream(entry.getValue()).transferTo(jar);
            }
        }
        Path file = directory.resolve(fileName);
        Files.write(file, bytes.toByteArray());
        return file;
    }

    /** Puts a file into the directory {@code plugins/} in one step. */
    static void drop(Path file, Path plugins, String name) throws IOException {
        Path draft = plugins.resolve(".draft");
        Files.copy(file, draft, StandardCopyOption.REPLACE_EXISTING);
        Files.move(draft, plugins.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }
}
