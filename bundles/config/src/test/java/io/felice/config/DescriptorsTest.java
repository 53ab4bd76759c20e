package io.felice.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a bundle's descriptor says of its settings. */
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
                <AD id="listeners" type="String" cardinality="2147483647" name="l" description="l" default="a"/>
              </OCD>
              <Designate pid="io.felice.some"><Object ocdref="x"/></Designate>
            </metatype:MetaData>
            """;

    @Test
    void tellsNumbersFromOtherTexts() throws Exception {
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
    void takesTrueAndFalseForABooleanAndAnythingForAText() throws Exception {
        Map<String, Setting> settings = read("io.felice.some");

        assertThat(settings.get("enabled").objection("TRUE")).isEmpty();
        assertThat(settings.get("enabled").objection(false)).isEmpty();
        assertThat(settings.get("enabled").objection("on")).contains("true or false");
        assertThat(settings.get("listeners").objection("whatever")).isEmpty();
    }

    @Test
    void looksOnlyAtThePidThatIsAskedFor() throws Exception {
        assertThat(read("io.felice.other")).isEmpty();
    }

    private static Map<String, Setting> read(String pid) throws Exception {
        return Descriptors.read(new ByteArrayInputStream(XML.getBytes(UTF_8)), pid);
    }
}
