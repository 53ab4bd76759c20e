package io.felice.itests.container;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A local Maven repository for builds outside of this repository: the libraries of this machine's, and of Felice what its
 * build has made for authors of plugins, and no more.
 */
final class CleanRepository {
    private static final Path ROOT = Path.of(System.getProperty("felice.root"));
    private static final String VERSION = System.getProperty("felice.version");
    private static final String FELICE = "io/felice";

    private static final List<String> FOR_AUTHORS = List.of(
            ".",
            "bundles",
            "bundles/api",
            "bundles/protocol",
            "plugins-sdk",
            "plugins-sdk/testkit",
            "plugins-sdk/embedded",
            "plugins-sdk/plugin-parent",
            "plugins-sdk/archetype");

    private CleanRepository() {}

    static Path in(Path directory) throws IOException {
        link(Path.of(System.getProperty("maven.repo.local")), directory, Path.of(FELICE));
        for (String module : FOR_AUTHORS) {
            add(ROOT.resolve(module), directory.resolve(FELICE));
        }
        return directory;
    }

    /** Links everything but one path, which may have several names. */
    private static void link(Path from, Path to, Path except) throws IOException {
        Files.createDirectories(to);
        Path name = except.getName(0);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                if (!file.getFileName().equals(name)) {
                    Files.createSymbolicLink(to.resolve(file.getFileName()), file.toAbsolutePath());
                }
            }
        }
        if (except.getNameCount() > 1) {
            link(from.resolve(name), to.resolve(name), except.subpath(1, except.getNameCount()));
        }
    }

    private static void add(Path module, Path felice) throws IOException {
        String pom = Files.readString(module.resolve("pom.xml"));
        String own = pom.substring(Math.max(0, pom.indexOf("</parent>")));
        String artifact =
                own.substring(own.indexOf("<artifactId>") + "<artifactId>".length(), own.indexOf("</artifactId>"));
        Path target = Files.createDirectories(felice.resolve(artifact).resolve(VERSION));
        String name = artifact + "-" + VERSION;
        Files.copy(module.resolve("pom.xml"), target.resolve(name + ".pom"));
        Path jar = module.resolve("target").resolve(name + ".jar");
        if (Files.exists(jar)) {
            Files.copy(jar, target.resolve(name + ".jar"));
        }
    }
}
