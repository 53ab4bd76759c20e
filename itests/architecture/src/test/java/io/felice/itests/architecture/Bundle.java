package io.felice.itests.architecture;

import aQute.bnd.header.Parameters;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * A directory of {@code bundles/} that has code, and the jar that its build made.
 *
 * @param name the name of the directory
 * @param directory the directory itself
 */
record Bundle(String name, Path directory) {

    static List<Bundle> all() {
        try (Stream<Path> directories = Files.list(root().resolve("bundles"))) {
            return directories
                    .filter(Bundle::hasCode)
                    .sorted()
                    .map(directory -> new Bundle(directory.getFileName().toString(), directory))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Path root() {
        return Path.of(System.getProperty("felice.root", "../..")).normalize();
    }

    /** The bundle's name, which is its symbolic name, its artifact, its root package and its configuration PID. */
    String symbolicName() {
        return "io.felice." + name.replace('-', '.');
    }

    Path jar() {
        Path target = directory.resolve("target");
        if (!Files.isDirectory(target)) {
            throw notBuilt();
        }
        try (Stream<Path> files = Files.list(target)) {
            return files.filter(Bundle::isBundle)
                    .max(Comparator.comparing(Path::toString))
                    .orElseThrow(this::notBuilt);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String header(String header) {
        try (JarFile file = new JarFile(jar().toFile())) {
            String value = file.getManifest().getMainAttributes().getValue(header);
            return value == null ? "" : value;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Parameters clauses(String header) {
        return new Parameters(header(header));
    }

    /** The packages that the bundle imports, except those that it exports itself. */
    Set<String> imports() {
        Set<String> imports = new TreeSet<>(clauses("Import-Package").keySet());
        imports.removeAll(exports());
        return imports;
    }

    Set<String> exports() {
        return new TreeSet<>(clauses("Export-Package").keySet());
    }

    /** The paths of Felice's own class files in the jar. */
    List<String> ownClasses() {
        return entries("io/felice/", ".class");
    }

    List<String> entries(String prefix, String suffix) {
        try (JarFile file = new JarFile(jar().toFile())) {
            return file.stream()
                    .map(entry -> entry.getName())
                    .filter(entry -> entry.startsWith(prefix) && entry.endsWith(suffix))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    byte[] read(String entry) {
        try (JarFile file = new JarFile(jar().toFile());
                InputStream in = file.getInputStream(file.getEntry(entry))) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<Path> sources() {
        return javaFiles(directory.resolve("src/main/java"));
    }

    @Override
    public String toString() {
        return "bundles/" + name;
    }

    private static boolean hasCode(Path directory) {
        return !javaFiles(directory.resolve("src/main/java")).isEmpty();
    }

    private static List<Path> javaFiles(Path directory) {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isBundle(Path file) {
        String name = file.getFileName().toString();
        return name.startsWith("io.felice.")
                && name.endsWith(".jar")
                && !name.matches(".*-(tests|sources|javadoc).jar");
    }

    private IllegalStateException notBuilt() {
        return new IllegalStateException(this + " is not built: run ./dev build first");
    }
}
