package io.felice.plugins;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.FeliceException;
import io.felice.api.plugin.PluginCheck;
import io.felice.api.plugin.PluginCheck.Finding;
import io.felice.api.plugin.ProvidedExtension;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The check says in plain words what is wrong with a file. Every test uses the same node, which a check does not change. */
class UnfitPluginsTest {
    private static final int MB = 1 << 20;

    @TempDir
    static Path directory;

    private static PluginJars jars;
    private static PluginNode node;

    @BeforeAll
    static void start() throws Exception {
        jars = new PluginJars(directory);
        node = new PluginNode(directory.resolve("data"))
                .with("max_file_bytes", (long) MB)
                .with("max_unpacked_bytes", 8L * MB)
                .start();
    }

    @AfterAll
    static void stop() throws Exception {
        node.stop();
    }

    private static PluginCheck check(Path file) {
        return node.plugins().check(file);
    }

    private static void assertRefused(PluginCheck check, String sentence, String raw) {
        assertThat(check.fits()).as(check.toString()).isFalse();
        Finding finding =
                check.findings().stream().filter(Finding::refuses).findFirst().orElseThrow();
        assertThat(finding.sentence()).contains(sentence);
        assertThat(finding.raw()).contains(raw);
    }

    @Test
    void saysWhatAPluginProvidesAndWhichConfigurationItWants() throws Exception {
        Path file = jars.bundle("org.example.good", "1.2.0")
                .source(
                        "Store",
                        PluginJars.storeCode(
                                "good",
                                ", configurationPid = \"org.example.good\","
                                        + " configurationPolicy = ConfigurationPolicy.REQUIRE",
                                ""))
                .pack("good.jar");

        PluginCheck check = check(file);

        assertThat(check.fits()).as(check.toString()).isTrue();
        assertThat(check.name()).isEqualTo("org.example.good");
        assertThat(check.version()).isEqualTo("1.2.0");
        assertThat(check.provides()).containsExactly(new ProvidedExtension("credential store", "good"));
        assertThat(check.configurations()).containsExactly("org.example.good");
    }

    @Test
    void namesAMissingPackageAndTheLibraryThatHasIt() throws Exception {
        Path file = jars.store("org.example.missing", "1.0.0", "missing")
                .header("Import-Package", "com.google.common.collect;version=\"[33,34)\",*")
                .pack("missing.jar");

        assertRefused(
                check(file),
                "It needs the package com.google.common.collect, which no bundle of this node exports; the library"
                        + " com.google.guava:guava has it.",
                "Import-Package: com.google.common.collect [33.0.0,34.0.0)");
    }

    @Test
    void namesTheBundleThatExportsAnotherVersionOfAPackage() throws Exception {
        Path file = jars.store("org.example.log", "1.0.0", "log")
                .header("Import-Package", "org.slf4j;version=\"[2,3)\",*")
                .pack("log.jar");

        assertRefused(
                check(file),
                "It needs the package org.slf4j in a version of [2.0.0,3.0.0), and this node has 1.7.36 (bundle"
                        + " org.apache.felix.framework",
                "Import-Package: org.slf4j");
    }

    @Test
    void saysThatAPluginWasBuiltForAnotherVersionOfTheApi() throws Exception {
        Path file = jars.store("org.example.future", "1.0.0", "future")
                .header("Import-Package", "io.felice.api.security;version=\"[2,3)\",*")
                .pack("future.jar");

        assertRefused(
                check(file),
                "It was built for another version of Felice's API: it wants io.felice.api.security [2.0.0,3.0.0), and this"
                        + " node has 1.0.0.",
                "Import-Package: io.felice.api.security [2.0.0,3.0.0)");
    }

    @Test
    void aPluginThatWasBuiltForAnOlderPatchOfTheApiFits() throws Exception {
        Path file = jars.store("org.example.older", "1.0.0", "older")
                .header("Import-Package", "io.felice.api.security;version=\"[0.9.7,1.1)\",*")
                .pack("older.jar");

        assertThat(check(file).fits()).isTrue();
    }

    @Test
    void aPluginMayNotUseWhatIsInternalToTheNode() throws Exception {
        Path core = jars.bundle("io.felice.broker", "1.0.0")
                .header("Private-Package", "org.slf4j.event")
                .pack("broker.jar");
        org.osgi.framework.Bundle broker =
                node.context().installBundle(core.toUri().toString());
        Path file = jars.store("org.example.curious", "1.0.0", "curious")
                .header("Import-Package", "io.felice.broker.partition,*")
                .pack("curious.jar");

        PluginCheck check = check(file);
        broker.uninstall();

        assertRefused(
                check,
                "It uses the package io.felice.broker.partition, which is internal to the bundle io.felice.broker. Plugins"
                        + " can use io.felice.api only.",
                "Import-Package");
    }

    @Test
    void aPluginThatCarriesItsOwnCopyOfTheApiIsRefused() throws Exception {
        String entry = "io/felice/api/security/CredentialStore.class";
        try (InputStream copy = getClass().getClassLoader().getResourceAsStream(entry)) {
            Path file = jars.store("org.example.fat", "1.0.0", "fat")
                    .resource(entry, copy.readAllBytes())
                    .pack("fat.jar");

            assertRefused(check(file), "It carries its own copy of Felice's API (1 classes)", entry);
        }
    }

    @Test
    void theCopyOfTheApiIsFoundInAJarInsideToo() throws Exception {
        String entry = "io/felice/api/security/CredentialStore.class";
        try (InputStream copy = getClass().getClassLoader().getResourceAsStream(entry)) {
            Path file = jars.store("org.example.nested", "1.0.0", "nested")
                    .resource("lib/api.jar", zip(entry, copy.readAllBytes()))
                    .pack("nested.jar");

            assertRefused(check(file), "It carries its own copy of Felice's API", entry);
        }
    }

    @Test
    void saysWhichJavaAPluginNeeds() throws Exception {
        Path file = jars.store("org.example.modern", "1.0.0", "modern")
                .header("Require-Capability", "osgi.ee;filter:=\"(&(osgi.ee=JavaSE)(version=99))\"")
                .header("-noee", "true")
                .pack("modern.jar");

        assertRefused(
                check(file),
                "It needs Java 99, and this node runs Java " + Runtime.version().feature() + ".",
                "osgi.ee");
    }

    @Test
    void aFragmentOfABundleOfTheNodeIsRefused() throws Exception {
        Path file = jars.bundle("org.example.fragment", "1.0.0")
                .header("Fragment-Host", "org.apache.felix.scr")
                .pack("fragment.jar");

        assertRefused(
                check(file),
                "It is a fragment of the bundle org.apache.felix.scr: a plugin cannot put classes into another bundle.",
                "Fragment-Host");
    }

    @Test
    void aJarThatIsNoBundleIsNoPlugin() throws Exception {
        Path file = Files.write(directory.resolve("plain.jar"), zip("org/example/Store.class", new byte[10]));

        assertRefused(
                check(file),
                "It is not a plugin: it is neither an OSGi bundle (its manifest has no Bundle-SymbolicName) nor an archive of"
                        + " bundles.",
                "");
    }

    @Test
    void aFileThatIsNoZipFileIsNotWhole() throws Exception {
        Path file = Files.writeString(directory.resolve("text.jar"), "not a jar");

        assertRefused(check(file), "It is not a whole jar or zip file", "ZipException");
    }

    @Test
    void aFileThatIsTooLargeIsNotRead() throws Exception {
        Path file = Files.write(directory.resolve("large.jar"), new byte[MB + 1]);

        assertRefused(
                check(file),
                "It is too large: 1048577 bytes, and max.file.bytes of etc/io.felice.plugins.cfg is 1048576.",
                "large.jar");
    }

    @Test
    void aSmallFileThatUnpacksToTooMuchIsRefused() throws Exception {
        Path file = Files.write(directory.resolve("bomb.zip"), zip("zeros", new byte[9 * MB]));

        assertThat(Files.size(file)).isLessThan(MB);
        assertRefused(check(file), "It cannot be read.", "it unpacks to more than max.unpacked.bytes");
    }

    @Test
    void anArchiveWithinAnArchiveCountsToo() throws Exception {
        byte[] inner = zip("zeros", new byte[9 * MB]);
        Path file = jars.store("org.example.bomb", "1.0.0", "bomb")
                .resource("lib/inner.jar", inner)
                .pack("bomb.jar");

        assertRefused(check(file), "It cannot be read.", "it unpacks to more than max.unpacked.bytes");
    }

    @Test
    void aDescriptorCannotReadFilesOfTheNode() throws Exception {
        String descriptor = "<!DOCTYPE c [<!ENTITY f SYSTEM 'file:/etc/passwd'>]><c name='&f;'/>";
        Path file = Files.write(
                directory.resolve("xxe.jar"),
                zip(Map.of(
                        "META-INF/MANIFEST.MF",
                        manifest("org.example.xxe", "Service-Component: OSGI-INF/xxe.xml"),
                        "OSGI-INF/xxe.xml",
                        descriptor.getBytes(UTF_8))));

        assertRefused(check(file), "Its component's descriptor OSGI-INF/xxe.xml is not well-formed.", "DOCTYPE");
    }

    @Test
    void aSymbolicNameThatIsAPathIsRefused() throws Exception {
        Path file = Files.write(
                directory.resolve("path.jar"), zip(Map.of("META-INF/MANIFEST.MF", manifest("../../etc", "X: y"))));

        assertRefused(check(file), "Its symbolic name is unusable", "../../etc");
    }

    @Test
    void aFileThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> check(directory.resolve("nowhere.jar")))
                .isInstanceOf(FeliceException.class)
                .hasMessageContaining("There is no file");
    }

    private static byte[] manifest(String symbolicName, String header) {
        return ("Manifest-Version: 1.0\r\nBundle-ManifestVersion: 2\r\nBundle-SymbolicName: " + symbolicName + "\r\n"
                        + header + "\r\n\r\n")
                .getBytes(UTF_8);
    }

    private static byte[] zip(String entry, byte[] content) throws IOException {
        return zip(Map.of(entry, content));
    }

    private static byte[] zip(Map<String, byte[]> entries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue());
            }
        }
        return bytes.toByteArray();
    }
}
