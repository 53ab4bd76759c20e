package io.felice.itests.container;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The contents of the archives. */
class ArchiveTest {

    private static final Pattern BUNDLE_URL = Pattern.compile("<bundle[^>]*>\\s*mvn:([^<]+?)\\s*</bundle>");

    @TempDir
    static Path directory;

    @BeforeAll
    static void unpack() throws Exception {
        for (Archive archive : archives().toList()) {
            archive.unpack(directory.resolve(archive.ending()));
        }
    }

    private static Path home(Archive archive) {
        return directory.resolve(archive.ending()).resolve(Archive.topDirectory());
    }

    static Stream<Archive> archives() {
        return Stream.of(Archive.TAR_GZ, Archive.ZIP);
    }

    @ParameterizedTest
    @MethodSource("archives")
    void startsTheFeatureFelice(Archive archive) throws Exception {
        Path home = home(archive);

        Properties features = load(home.resolve("etc/org.apache.karaf.features.cfg"));

        assertThat(names(features.getProperty("featuresBoot"))).contains("felice", "scr", "shell");
        assertThat(features.getProperty("featuresRepositories")).contains("io.felice/features/" + Archive.version());
    }

    @ParameterizedTest
    @MethodSource("archives")
    void containsEveryBundleOfItsFeatures(Archive archive) throws Exception {
        Path home = home(archive);
        Path features = home.resolve("system/io/felice/features/" + Archive.version())
                .resolve("features-" + Archive.version() + "-features.xml");

        List<String> missing = bundlesOf(features)
                .map(ArchiveTest::pathInRepository)
                .filter(path -> !Files.exists(home.resolve("system").resolve(path)))
                .toList();

        assertThat(missing).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("archives")
    void usesNoRemoteRepository(Archive archive) throws Exception {
        Path home = home(archive);

        Properties maven = load(home.resolve("etc/org.ops4j.pax.url.mvn.cfg"));

        assertThat(maven.getProperty("org.ops4j.pax.url.mvn.repositories")).isBlank();
    }

    @ParameterizedTest
    @MethodSource("archives")
    void hasOneExecutableProgram(Archive archive) throws Exception {
        Path home = home(archive);

        try (Stream<Path> programs = Files.list(home.resolve("bin"))) {
            assertThat(programs.toList()).containsExactly(home.resolve("bin/felice"));
        }
        assertThat(home.resolve("bin/felice")).isExecutable();
        assertThat(home.resolve("LICENSE")).content().contains("Apache License");
        assertThat(home.resolve("VERSION")).hasContent(Archive.version());
    }

    @Test
    void bothArchivesHaveTheSameFiles() throws Exception {
        Set<String> zipped = filesIn(home(Archive.ZIP));

        assertThat(zipped).isEqualTo(filesIn(home(Archive.TAR_GZ)));
    }

    private static Set<String> names(String features) {
        return Arrays.stream(features.split("[,()]"))
                .map(feature -> feature.trim().replaceAll("/.*", ""))
                .filter(feature -> !feature.isEmpty())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Stream<String> bundlesOf(Path features) throws IOException {
        return BUNDLE_URL.matcher(Files.readString(features)).results().map(result -> result.group(1));
    }

    private static String pathInRepository(String coordinates) {
        Matcher matcher = Pattern.compile("([^/]+)/([^/]+)/([^/]+)").matcher(coordinates);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(coordinates);
        }
        return matcher.group(1).replace('.', '/')
                + "/" + matcher.group(2)
                + "/" + matcher.group(3)
                + "/" + matcher.group(2) + "-" + matcher.group(3) + ".jar";
    }

    private static Set<String> filesIn(Path home) throws IOException {
        try (Stream<Path> files = Files.walk(home)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> home.relativize(file).toString())
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static Properties load(Path file) throws IOException {
        Properties properties = new Properties();
        try (var in = Files.newInputStream(file)) {
            properties.load(in);
        }
        return properties;
    }
}
