package io.felice.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/** The settings in a bundle's descriptor. */
class DescriptorsTest {
    private static final String XML =
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <metatype:MetaData xmlns:metatype="http://www.osgi.org/xmlns/metatype/v1.2.0">
              <OCD id="x" name="x" description="x">
                <AD id="port" type="Integer" name="p" description="p" default="1" min="0" max="65535"/>
                <AD id="threads" type="Integer" name="t" description="t" default="1"/>
                <AD id="bytes" type="Long" name="b" description="b" default="1" min="1"/>
                <AD id="enabled" type="Boolean" name="e" description="e" default="true"/>
                <AD id="mode" type="String" name="m" description="m" default="fast">
                  <Option label="fast" value="fast"/><Option label="safe" value="safe"/>
                </AD>
                <AD id="listeners" type="String" cardinality="2147483647" name="l" description="l" default="a"/>
              </OCD>
              <Designate pid="io.felice.some"><Object ocdref="x"/></Designate>
            </metatype:MetaData>
            """;

    @TempDir
    Path directory;

    @Test
    void numbersAreCheckedForFormatAndRange() throws Exception {
        Map<String, Setting> settings = read("io.felice.some");

        assertThat(settings.get("port").objection("80")).isEmpty();
        assertThat(settings.get("port").objection("0x50")).contains("a whole number from 0 to 65535");
        assertThat(settings.get("port").objection("65536")).contains("a whole number from 0 to 65535");
        assertThat(settings.get("threads").objection("3000000000"))
                .contains("a whole number from -2147483648 to 2147483647");
        assertThat(settings.get("bytes").objection("3000000000")).isEmpty();
        assertThat(settings.get("bytes").objection("512K")).contains("a whole number of at least 1");
        assertThat(settings.get("bytes").objection("1e3")).isNotEmpty();
        assertThat(settings.get("bytes").objection("99999999999999999999")).isNotEmpty();
    }

    @Test
    void aBooleanIsTrueOrFalseAndATextIsAnything() throws Exception {
        Map<String, Setting> settings = read("io.felice.some");

        assertThat(settings.get("enabled").objection("TRUE")).isEmpty();
        assertThat(settings.get("enabled").objection(false)).isEmpty();
        assertThat(settings.get("enabled").objection("on")).contains("true or false");
        assertThat(settings.get("listeners").objection("whatever")).isEmpty();
    }

    @Test
    void aTextWithOptionsIsOneOfThem() throws Exception {
        Map<String, Setting> settings = read("io.felice.some");

        assertThat(settings.get("mode").objection("safe")).isEmpty();
        assertThat(settings.get("mode").objection("slow")).contains("one of fast, safe");
    }

    @Test
    void theSettingsOfAPluginBelongToThePidsThatItReads() throws Exception {
        Path xml = Files.writeString(
                directory.resolve("plugin.xml"), XML.replace("pid=\"io.felice.some", "pid=\"org.rules"));
        Descriptors descriptors =
                new Descriptors(answering(BundleContext.class, Map.of("getBundles", () -> new Bundle[] {
                    bundle(1, "felice-rules", "io.felice.api.security;version=\"[1.0,2)\"", xml),
                    bundle(2, "org.platform", "org.osgi.framework", xml)
                })));

        assertThat(descriptors.of("org.rules")).containsKeys("port", "enabled");
        assertThat(descriptors.of("felice-rules")).isEmpty();
        assertThat(descriptors.pids()).isEmpty();
    }

    /** A bundle of the platform must not be read. */
    private static Bundle bundle(long id, String name, String imports, Path xml) {
        Map<String, Callable<Object>> answers = new HashMap<>(Map.of(
                "getSymbolicName",
                () -> name,
                "getBundleId",
                () -> id,
                "getHeaders",
                () -> new Hashtable<>(Map.of("Import-Package", imports))));
        if (imports.contains("io.felice.")) {
            answers.put("getLastModified", () -> 1L);
            answers.put("getEntryPaths", () -> Collections.enumeration(List.of("OSGI-INF/metatype/plugin.xml")));
            answers.put("getEntry", () -> xml.toUri().toURL());
        }
        return answering(Bundle.class, answers);
    }

    @Test
    void onlyTheDescriptorOfThePidIsRead() throws Exception {
        assertThat(read("io.felice.other")).isEmpty();
    }

    @Test
    void aBundleIsReadOnceAndIsNotResolved() throws Exception {
        Path xml = Files.writeString(directory.resolve("some.xml"), XML);
        AtomicLong modified = new AtomicLong(1);
        AtomicInteger readings = new AtomicInteger();
        Bundle bundle = answering(
                Bundle.class,
                Map.of(
                        "getSymbolicName", () -> "io.felice.some",
                        "getBundleId", () -> 7L,
                        "getLastModified", modified::get,
                        "getEntryPaths",
                                () -> Collections.enumeration(
                                        List.of("OSGI-INF/metatype/l10n/", "OSGI-INF/metatype/some.xml")),
                        "getEntry",
                                () -> {
                                    readings.incrementAndGet();
                                    return xml.toUri().toURL();
                                }));
        Descriptors descriptors =
                new Descriptors(answering(BundleContext.class, Map.of("getBundles", () -> new Bundle[] {bundle})));

        assertThat(descriptors.of("io.felice.some")).containsKeys("port", "enabled");
        assertThat(descriptors.of("io.felice.some")).containsKeys("port", "enabled");
        assertThat(readings).hasValue(1);
        modified.set(2);
        assertThat(descriptors.of("io.felice.some")).containsKeys("port", "enabled");

        assertThat(readings).hasValue(2);
    }

    @Test
    void aBundleThatIsBeingUninstalledIsSkipped() throws Exception {
        Bundle bundle = answering(
                Bundle.class,
                Map.of(
                        "getSymbolicName", () -> "io.felice.some",
                        "getBundleId", () -> 7L,
                        "getLastModified", () -> 1L,
                        "getEntryPaths",
                                () -> {
                                    throw new IllegalStateException("uninstalled");
                                }));

        assertThat(new Descriptors(answering(BundleContext.class, Map.of("getBundles", () -> new Bundle[] {bundle})))
                        .of("io.felice.some"))
                .isEmpty();
    }

    /** A proxy that has answers to these methods only; every other call fails. */
    private static <T> T answering(Class<T> type, Map<String, Callable<Object>> answers) {
        return type.cast(Proxy.newProxyInstance(
                DescriptorsTest.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    if (!answers.containsKey(method.getName())) {
                        throw new AssertionError(method + " is not to be called");
                    }
                    return answers.get(method.getName()).call();
                }));
    }

    private static Map<String, Setting> read(String pid) throws Exception {
        return Descriptors.read(new ByteArrayInputStream(XML.getBytes(UTF_8))).getOrDefault(pid, Map.of());
    }
}
