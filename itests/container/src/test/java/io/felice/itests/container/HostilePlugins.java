package io.felice.itests.container;

import io.felice.api.security.Action;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Authorizer;
import io.felice.api.security.CredentialStore;
import io.felice.api.security.Decision;
import io.felice.api.security.Principal;
import io.felice.api.security.PrincipalMapping;
import io.felice.api.security.Requester;
import io.felice.api.storage.EngineTrait;
import io.felice.api.storage.LogId;
import io.felice.api.storage.PartitionLog;
import io.felice.api.storage.StorageEngine;
import io.felice.api.storage.Volume;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;

/** Bundles with a plugin of each kind, none of which can be activated. */
final class HostilePlugins {
    private static final Map<Class<?>, String> KINDS = Map.of(
            Authenticator.class, Authenticator.MECHANISM,
            CredentialStore.class, CredentialStore.NAME,
            Authorizer.class, Authorizer.NAME,
            PrincipalMapping.class, PrincipalMapping.NAME,
            StorageEngine.class, StorageEngine.NAME);
    private static final String DIRECTORY = "io/felice/itests/container/";

    private HostilePlugins() {}

    /** The name under which the services of such a bundle are registered. */
    static String nameOf(Class<?> plugin) {
        return plugin.getSimpleName().toUpperCase(Locale.ROOT);
    }

    /** Implements every kind of plugin. No method is ever called. */
    abstract static class Plugin
            implements Authenticator, CredentialStore, Authorizer, PrincipalMapping, StorageEngine {
        @Override
        public Conversation begin(Client client) {
            throw new AssertionError();
        }

        @Override
        public boolean hasPassword(String user, byte[] password) {
            return true;
        }

        @Override
        public CompletionStage<List<Decision>> authorize(Requester requester, List<Action> actions) {
            throw new AssertionError();
        }

        @Override
        public Set<EngineTrait> traits() {
            throw new AssertionError();
        }

        @Override
        public Volume volume() {
            throw new AssertionError();
        }

        @Override
        public PartitionLog open(LogId id, long lease) {
            throw new AssertionError();
        }

        @Override
        public void delete(LogId id) {
            throw new AssertionError();
        }

        @Override
        public Set<LogId> logs() {
            throw new AssertionError();
        }

        @Override
        public Principal principalOf(List<X509Certificate> chain) {
            throw new AssertionError();
        }
    }

    /** Throws when it is activated. */
    public static final class Throwing extends Plugin {
        public Throwing() {
            throw new IllegalStateException("hostile");
        }
    }

    /** Does not come back when it is activated. */
    public static final class Hanging extends Plugin {
        public Hanging() {
            while (true) {
                try {
                    Thread.sleep(1_000);
                } catch (InterruptedException ignored) {
                    // It does not listen either.
                }
            }
        }
    }

    /** Writes a bundle with a component of this class for each kind of plugin. Its symbolic name is that of the class. */
    static Path bundle(Class<?> plugin, Path directory) throws IOException {
        Path file = directory.resolve(plugin.getSimpleName() + ".jar");
        try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(file), manifest(plugin))) {
            for (Class<?> each : List.of(HostilePlugins.class, Plugin.class, plugin)) {
                String name = each.getName().substring(each.getName().lastIndexOf('.') + 1) + ".class";
                jar.putNextEntry(new ZipEntry(DIRECTORY + name));
                try (InputStream content = HostilePlugins.class.getResourceAsStream(name)) {
                    content.transferTo(jar);
                }
            }
            for (Class<?> kind : KINDS.keySet()) {
                jar.putNextEntry(new ZipEntry(descriptorOf(kind)));
                jar.write(descriptor(plugin, kind).getBytes(StandardCharsets.UTF_8));
            }
        }
        return file;
    }

    private static Manifest manifest(Class<?> plugin) {
        Manifest manifest = new Manifest();
        Attributes headers = manifest.getMainAttributes();
        headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        headers.putValue("Bundle-ManifestVersion", "2");
        headers.putValue("Bundle-SymbolicName", plugin.getSimpleName());
        headers.putValue(
                "Import-Package", "io.felice.api.security;version=\"[1,2)\",io.felice.api.storage;version=\"[1,2)\"");
        headers.putValue(
                "Service-Component",
                String.join(
                        ",",
                        KINDS.keySet().stream()
                                .map(HostilePlugins::descriptorOf)
                                .toList()));
        return manifest;
    }

    private static String descriptorOf(Class<?> kind) {
        return "OSGI-INF/" + kind.getSimpleName() + ".xml";
    }

    private static String descriptor(Class<?> plugin, Class<?> kind) {
        return "<scr:component xmlns:scr='http://www.osgi.org/xmlns/scr/v1.3.0' name='" + plugin.getSimpleName() + "."
                + kind.getSimpleName() + "'><implementation class='" + plugin.getName() + "'/><property name='"
                + KINDS.get(kind) + "' value='" + nameOf(plugin) + "'/><service><provide interface='" + kind.getName()
                + "'/></service></scr:component>";
    }
}
