package io.felice.itests.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** Every setting of a bundle is in the distribution's etc, with its default and a comment. */
class ConfigurationTest {

    private static final String DATA = "the data directory/";
    private static final Path ETC = Bundle.root().resolve("distribution/src/main/resources/etc");

    static List<Bundle> bundles() {
        return Bundle.all();
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void spellsOutEverySettingInEtc(Bundle bundle) throws Exception {
        List<String> missing = new ArrayList<>();
        for (Document metatype : metatypes(bundle)) {
            String pid = pidOf(metatype);
            Properties file = load(ETC.resolve(pid + ".cfg"));
            for (Element setting : elements(metatype, "AD")) {
                if (!file.containsKey(setting.getAttribute("id"))) {
                    missing.add(pid + ".cfg: " + setting.getAttribute("id"));
                }
            }
        }

        assertThat(missing)
                .as("add these to distribution/src/main/resources/etc, each with a comment and its default")
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void spellsOutTheDefaultsThatTheCodeHas(Bundle bundle) throws Exception {
        List<String> different = new ArrayList<>();
        for (Document metatype : metatypes(bundle)) {
            Properties file = load(ETC.resolve(pidOf(metatype) + ".cfg"));
            for (Element setting : elements(metatype, "AD")) {
                String value = file.getProperty(setting.getAttribute("id"), "");
                String theDefault = setting.getAttribute("default").replace("\\,", ",");
                if (!value.equals(theDefault) && !dependsOnTheNode(value, theDefault)) {
                    different.add(pidOf(metatype) + ".cfg: " + setting.getAttribute("id") + " = " + value + ", not "
                            + theDefault);
                }
            }
        }

        assertThat(different)
                .as(
                        "the value in etc is the default of the code, or a variable that falls back to it: ${env:NAME:-default}")
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void knowsEverySettingThatEtcSpellsOut(Bundle bundle) throws Exception {
        List<String> unknown = new ArrayList<>();
        for (Document metatype : metatypes(bundle)) {
            String pid = pidOf(metatype);
            List<String> known = elements(metatype, "AD").stream()
                    .map(setting -> setting.getAttribute("id"))
                    .toList();
            for (String key : load(ETC.resolve(pid + ".cfg")).stringPropertyNames()) {
                if (!known.contains(key)) {
                    unknown.add(pid + ".cfg: " + key);
                }
            }
        }

        assertThat(unknown).as("no bundle reads these any more: delete them").isEmpty();
    }

    @Test
    void comesWithTheFeatureToAKarafThatIsNotOurDistribution() throws Exception {
        Path features = Bundle.root().resolve("features");
        String feature = Files.readString(features.resolve("src/main/feature/feature.xml"));
        String attached = Files.readString(features.resolve("pom.xml"));

        try (Stream<Path> files = Files.list(ETC)) {
            for (String pid : files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith("io.felice."))
                    .map(name -> name.replaceFirst("\\.cfg$", ""))
                    .toList()) {
                assertThat(feature).contains("<config name=\"" + pid + "\" external=\"true\">mvn:io.felice/features/");
                assertThat(feature).contains("/cfg/" + pid + "</config>");
                assertThat(attached).contains("<classifier>" + pid + "</classifier>");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void describesEverySettingAndNamesItsPidAfterTheBundle(Bundle bundle) throws Exception {
        for (Document metatype : metatypes(bundle)) {
            assertThat(pidOf(metatype))
                    .as("%s: PID = bundle name, without a dash", bundle)
                    .startsWith(bundle.symbolicName())
                    .doesNotContain("-");
            for (Element setting : elements(metatype, "AD")) {
                assertThat(setting.getAttribute("description"))
                        .as("%s: say in @AttributeDefinition what %s is", bundle, setting.getAttribute("id"))
                        .isNotBlank();
                assertThat(setting.hasAttribute("default"))
                        .as("%s: give %s a default", bundle, setting.getAttribute("id"))
                        .isTrue();
            }
        }
    }

    /**
     * Whether a value may differ from the default: it is a path below the node's data directory, or an environment
     * variable that falls back to the default.
     */
    private static boolean dependsOnTheNode(String value, String theDefault) {
        String without = value.replace("${felice.data:-${karaf.base}/felice}/", DATA);
        String variable;
        do {
            variable = without;
            without = variable.replaceAll("\\$\\{env:[A-Z_]+:-([^{}]*)}", "$1");
        } while (!without.equals(variable));
        return without.startsWith(DATA) || without.equals(theDefault);
    }

    private static List<Document> metatypes(Bundle bundle) throws Exception {
        List<Document> documents = new ArrayList<>();
        for (String entry : bundle.entries("OSGI-INF/metatype/", ".xml")) {
            documents.add(DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(new ByteArrayInputStream(bundle.read(entry))));
        }
        return documents;
    }

    private static String pidOf(Document metatype) {
        Element designate = elements(metatype, "Designate").get(0);
        return designate.getAttribute(designate.hasAttribute("pid") ? "pid" : "factoryPid");
    }

    private static List<Element> elements(Document document, String name) {
        NodeList nodes = document.getElementsByTagName(name);
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            elements.add((Element) nodes.item(i));
        }
        return elements;
    }

    private static Properties load(Path file) throws IOException {
        assertThat(file)
                .as("add this file, with every setting, its default and a comment")
                .exists();
        Properties properties = new Properties();
        try (var in = Files.newInputStream(file)) {
            properties.load(in);
        }
        return properties;
    }
}
