package io.felice.itests.container;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Projects of plugins outside of this repository: those that the archetype makes, and copies of the examples. All are built
 * in one go.
 *
 * @param directory has the projects
 * @param repository the local Maven repository
 */
record PluginProjects(Path directory, Path repository) implements AutoCloseable {
    private static final Path EXAMPLES = Path.of("../../plugins-sdk/examples");
    private static final String ARCHETYPE_PLUGIN = "org.apache.maven.plugins:maven-archetype-plugin:3.4.0:generate";
    private static final String FRUGAL = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";
    private static final long LIMIT_MINUTES = 10;

    static PluginProjects in(Path directory) throws IOException {
        return new PluginProjects(
                Files.createDirectories(directory.resolve("projects")),
                CleanRepository.in(directory.resolve("repository")));
    }

    /** Makes the project {@code acme-TYPE} as an author would. */
    void generate(String type) {
        maven(
                ARCHETYPE_PLUGIN,
                "-DarchetypeCatalog=local",
                "-DarchetypeGroupId=io.felice",
                "-DarchetypeArtifactId=plugin-archetype",
                "-DarchetypeVersion=" + System.getProperty("felice.version"),
                "-DgroupId=com.acme",
                "-DartifactId=acme-" + type,
                "-Dpackage=com.acme." + type,
                "-Dtype=" + type);
    }

    /** Copies an example, and returns its directory. */
    Path copy(String example) throws IOException {
        Path from = EXAMPLES.resolve(example);
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(Files::isRegularFile)
                    .filter(file -> !from.relativize(file).startsWith("target"))
                    .toList()) {
                Path copy =
                        directory.resolve(example).resolve(from.relativize(file).toString());
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy);
            }
        }
        return directory.resolve(example);
    }

    /** Builds all projects, runs their tests, and drops the plugins into a directory as into that of a node. */
    void verify() throws IOException {
        try (Stream<Path> projects = Files.list(directory)) {
            String modules = projects.filter(Files::isDirectory)
                    .map(project -> "<module>" + project.getFileName() + "</module>")
                    .collect(Collectors.joining());
            Files.writeString(
                    directory.resolve("pom.xml"),
                    "<project><modelVersion>4.0.0</modelVersion><groupId>com.acme</groupId><artifactId>all</artifactId>"
                            + "<version>1</version><packaging>pom</packaging><modules>" + modules
                            + "</modules></project>");
        }
        maven("-T", "2", "verify", "-Dfelice.plugins.dir=" + dropped());
    }

    private void maven(String... arguments) {
        List<String> command = new ArrayList<>(List.of("mvn", "-B", "-q", "-Dmaven.repo.local=" + repository));
        command.addAll(List.of(arguments));
        try {
            Path output = Files.createTempFile(repository.getParent(), "mvn", ".out");
            ProcessBuilder maven = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .redirectInput(Path.of("/dev/null").toFile())
                    .redirectOutput(output.toFile());
            maven.environment().put("MAVEN_OPTS", FRUGAL);
            Process process = maven.start();
            boolean hasEnded = process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES);
            assertThat(hasEnded && process.exitValue() == 0)
                    .as("%s%n%s", command, Files.readString(output, UTF_8))
                    .isTrue();
        } catch (IOException | InterruptedException failure) {
            throw new IllegalStateException(failure);
        }
    }

    /** Removes the links to the libraries, so that nobody who deletes the directory follows them. */
    @Override
    public void close() throws IOException {
        try (Stream<Path> files = Files.walk(repository)) {
            for (Path link : files.filter(Files::isSymbolicLink).toList()) {
                Files.delete(link);
            }
        }
    }

    /** The jar that the build of a project has dropped. */
    Path jar(String plugin) {
        return dropped().resolve(plugin + ".jar");
    }

    private Path dropped() {
        return repository.resolveSibling("dropped");
    }

    /** A plugin as another version: the same jar with another number. */
    Path withVersion(Path jar, String version) throws IOException {
        Path copy = Files.createTempFile(repository.getParent(), "plugin", ".jar");
        try (JarFile original = new JarFile(jar.toFile());
                OutputStream file = Files.newOutputStream(copy)) {
            Manifest manifest = original.getManifest();
            manifest.getMainAttributes().putValue("Bundle-Version", version);
            try (JarOutputStream out = new JarOutputStream(file, manifest)) {
                for (JarEntry entry : original.stream().toList()) {
                    if (!entry.getName().equals(JarFile.MANIFEST_NAME)) {
                        out.putNextEntry(new JarEntry(entry.getName()));
                        try (InputStream in = original.getInputStream(entry)) {
                            in.transferTo(out);
                        }
                    }
                }
            }
        }
        return copy;
    }
}
