package io.felice.plugins;

import static io.felice.api.ErrorCode.INVALID_REQUEST;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;

/** The bundles in the directory {@code system/} of an unpacked distribution, by their symbolic names. */
final class Distribution {
    private static final int DEEPEST = 12;
    private static final int MOST_FILES = 5_000;

    private final Map<String, Jar> jars;

    /** A bundle's file. */
    record Jar(Path file, Version version) {}

    private Distribution(Map<String, Jar> jars) {
        this.jars = jars;
    }

    /** @throws io.felice.api.FeliceException INVALID_REQUEST if the directory is no distribution of Felice */
    static Distribution in(Path home) {
        Path system = home.resolve("system");
        if (!Files.isDirectory(system)) {
            throw INVALID_REQUEST.because(home + " is not the directory of a distribution: it has no directory system");
        }
        try (Stream<Path> files = Files.walk(system, DEEPEST)) {
            Map<String, Jar> jars = new HashMap<>();
            List<Path> found = files.filter(file -> file.toString().endsWith(".jar"))
                    .limit(MOST_FILES)
                    .toList();
            for (Path file : found) {
                read(file, jars);
            }
            return new Distribution(jars);
        } catch (IOException unreadable) {
            throw INVALID_REQUEST.because(home + " cannot be read: " + unreadable.getMessage());
        }
    }

    private static void read(Path file, Map<String, Jar> jars) throws IOException {
        try (JarFile jar = new JarFile(file.toFile())) {
            Manifest manifest = jar.getManifest();
            Attributes headers = manifest == null ? new Attributes() : manifest.getMainAttributes();
            String name = headers.getValue(Constants.BUNDLE_SYMBOLICNAME);
            String version = headers.getValue(Constants.BUNDLE_VERSION);
            if (name != null) {
                jars.put(name.split(";", 2)[0].trim(), new Jar(file, Version.parseVersion(version)));
            }
        }
    }

    Optional<Jar> find(String symbolicName) {
        return Optional.ofNullable(jars.get(symbolicName));
    }
}
