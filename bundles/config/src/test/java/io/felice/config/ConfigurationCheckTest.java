package io.felice.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ConfigurationEvent;

/** Mistakes in a file, at the start and in a running node. */
class ConfigurationCheckTest {
    private static final String FILE = "/var/lib/felice/etc/io.felice.broker.cfg";
    private static final String NETWORK = "/var/lib/felice/etc/io.felice.network.cfg";

    /** The constructor of an event requires a sender, which nothing uses. */
    private static final ServiceReference<ConfigurationAdmin> SENDER = sender();

    @SuppressWarnings("unchecked")
    private static ServiceReference<ConfigurationAdmin> sender() {
        return (ServiceReference<ConfigurationAdmin>) Proxy.newProxyInstance(
                ConfigurationCheckTest.class.getClassLoader(),
                new Class<?>[] {ServiceReference.class},
                (proxy, method, arguments) -> null);
    }

    private final List<String> failures = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private final List<Dictionary<String, Object>> configurations = new ArrayList<>();
    private final Map<String, Map<String, Object>> lastGood = new HashMap<>();
    private boolean served;

    private ConfigurationCheck check = make();

    private ConfigurationCheck make() {
        return new ConfigurationCheck(
                new Known(), () -> configurations, lastGood, () -> served, failures::add, warnings::add);
    }

    /** Two bundles with a few settings each. */
    private static final class Known implements KnownSettings {
        private final Map<String, Map<String, Setting>> all = Map.of(
                "io.felice.broker",
                Map.of(
                        "num.partitions", number(1, 10_000),
                        "delay.ms", number(0, Long.MAX_VALUE),
                        "auto.create.topics.enable", new Setting(Setting.Kind.FLAG, null, null, false),
                        "rack", Setting.text(),
                        "placement",
                                Setting.text(text ->
                                        text.contains(":") ? Optional.empty() : Optional.of("pairs, as in *:log"))),
                "io.felice.network",
                Map.of("num.network.threads", number(0, 1_000)),
                "org.rules",
                Map.of("limit", number(0, 10)));

        private static Setting number(long min, long max) {
            return new Setting(Setting.Kind.WHOLE_NUMBER, BigDecimal.valueOf(min), BigDecimal.valueOf(max), false);
        }

        @Override
        public Map<String, Setting> of(String pid) {
            return all.getOrDefault(pid, Map.of());
        }

        @Override
        public List<String> pids() {
            return List.copyOf(all.keySet());
        }
    }

    @Test
    void goodValuesArePassedOnWithoutSurroundingBlanks() {
        Dictionary<String, Object> seen = seen("num.partitions", "3 ", "auto.create.topics.enable", "false");

        assertThat(seen.get("num.partitions")).isEqualTo("3");
        assertThat(seen.get("auto.create.topics.enable")).isEqualTo("false");
        assertThat(failures).isEmpty();
        assertThat(warnings).isEmpty();
    }

    @Test
    void aBadValueFailsTheLaunchWithFileKeyValueAndExpectation() {
        seen("num.partitions", "x");

        assertThat(failures)
                .containsExactly(FILE + ": num.partitions is \"x\", but it must be a whole number from 1 to 10000.");
    }

    @Test
    void aComponentWithABadValueDoesNotStart() {
        Dictionary<String, Object> seen = seen("auto.create.topics.enable", "yes", "num.partitions", "3");

        assertThat(seen.get("osgi.ds.satisfying.condition.target"))
                .as("a condition that nothing satisfies, so that the component does not start and no failure is logged")
                .isEqualTo("(felice.refused=" + "io.felice.broker)");
        assertThat(failures)
                .containsExactly(FILE + ": auto.create.topics.enable is \"yes\", but it must be true or false.");
    }

    @Test
    void aPluginWithABadValueDoesNotStartAndTheNodeDoes() {
        Dictionary<String, Object> bad = ofPlugin("11");
        check.modifyConfiguration(null, bad);
        Dictionary<String, Object> corrected = ofPlugin("10");
        check.modifyConfiguration(null, corrected);

        assertThat(bad.get("osgi.ds.satisfying.condition.target")).isEqualTo("(felice.refused=org.rules)");
        assertThat(corrected.get("osgi.ds.satisfying.condition.target")).isNull();
        assertThat(corrected.get("limit")).isEqualTo("10");
        assertThat(failures).isEmpty();
        assertThat(warnings)
                .containsExactly(
                        "org.rules: limit is \"11\", but it must be a whole number from 0 to 10. The component of the"
                                + " plugin does not start until the value is corrected.");
    }

    @Test
    void aRunningPluginGoesOnWithTheLastGoodValue() {
        served = true;
        check.modifyConfiguration(null, ofPlugin("7"));
        Dictionary<String, Object> bad = ofPlugin("many");
        check.modifyConfiguration(null, bad);

        assertThat(bad.get("limit")).isEqualTo("7");
        assertThat(warnings)
                .containsExactly(
                        "org.rules: limit is \"many\", but it must be a whole number from 0 to 10. It stays 7 until"
                                + " the value is corrected.");
    }

    private static Dictionary<String, Object> ofPlugin(String limit) {
        return new Hashtable<>(Map.of("service.pid", "org.rules", "limit", limit));
    }

    @Test
    void aNumberOutOfRangeIsRefused() {
        seen("delay.ms", "-5");

        assertThat(failures)
                .containsExactly(FILE + ": delay.ms is \"-5\", but it must be a whole number of at least 0.");
    }

    @Test
    void everyMistakeInAFileIsReported() {
        seen("num.partitions", "x", "delay.ms", "");

        assertThat(failures).hasSize(1);
        assertThat(failures.get(0)).contains("num.partitions is \"x\"", "delay.ms is \"\"");
    }

    @Test
    void aRunningNodeKeepsTheLastGoodNumber() {
        seen("num.partitions", "3");

        Dictionary<String, Object> seen = seen("num.partitions", "x");

        assertThat(seen.get("num.partitions")).isEqualTo("3");
        assertThat(failures).isEmpty();
        assertThat(warnings)
                .containsExactly(FILE + ": num.partitions is \"x\", but it must be a whole number from 1 to 10000."
                        + " It stays 3 until the value is corrected.");
    }

    @Test
    void theLastGoodValueSurvivesSeveralMistakes() {
        seen("num.partitions", "3");
        seen("num.partitions", "x");

        Dictionary<String, Object> seen = seen("num.partitions", "y", "delay.ms", "z");

        assertThat(seen.get("num.partitions")).isEqualTo("3");
        assertThat(seen.get("delay.ms")).as("its default").isNull();
        assertThat(warnings).hasSize(3);
        assertThat(warnings).anyMatch(warning -> warning.endsWith("The default applies until the value is corrected."));
    }

    @Test
    void aRunningNodeKeepsTheLastGoodText() {
        seen("placement", "*:memory");

        Dictionary<String, Object> seen = seen("placement", "nonsense");

        assertThat(seen.get("placement")).isEqualTo("*:memory");
        assertThat(warnings)
                .containsExactly(FILE + ": placement is \"nonsense\", but it must be pairs, as in *:log."
                        + " It stays *:memory until the value is corrected.");
    }

    @Test
    void aBadTextFailsTheLaunchAndTheComponentDoesNotStart() {
        Dictionary<String, Object> seen = seen("placement", "nonsense", "num.partitions", "3");

        assertThat(failures).containsExactly(FILE + ": placement is \"nonsense\", but it must be pairs, as in *:log.");
        assertThat(seen.get("osgi.ds.satisfying.condition.target")).isEqualTo("(felice.refused=" + "io.felice.broker)");
    }

    @Test
    void theLastGoodValueSurvivesAnUpdateOfTheCheck() {
        seen("num.partitions", "3");
        seen("num.partitions", "x");
        served = true;

        check = make();
        Dictionary<String, Object> seen = seen("num.partitions", "x");

        assertThat(seen.get("num.partitions")).isEqualTo("3");
        assertThat(failures).isEmpty();
    }

    @Test
    void theMistakesInAllFilesAreReportedAtOnce() {
        configurations.add(file("io.felice.broker", FILE, "num.partitions", "x"));
        configurations.add(file("io.felice.network", NETWORK, "num.network.threads", "-1"));

        check.modifyConfiguration(null, file("io.felice.broker", FILE, "num.partitions", "x"));
        check.modifyConfiguration(null, file("io.felice.network", NETWORK, "num.network.threads", "-1"));

        assertThat(failures)
                .containsExactly(FILE + ": num.partitions is \"x\", but it must be a whole number from 1 to 10000. "
                        + NETWORK
                        + ": num.network.threads is \"-1\", but it must be a whole number from 0 to 1000.");
    }

    @Test
    void aFileThatBelongsToNoBundleIsReportedOnce() {
        String misnamed = "/var/lib/felice/etc/io.felice.brokr.cfg";
        configurations.add(file("io.felice.broker", FILE, "num.partitions", "3"));
        configurations.add(file("io.felice.brokr", misnamed, "num.partitions", "3"));
        configurations.add(file("io.felice~else", "/var/lib/felice/etc/io.felice-else.cfg"));

        seen("num.partitions", "3");
        check.configurationEvent(
                new ConfigurationEvent(SENDER, ConfigurationEvent.CM_UPDATED, null, "io.felice.brokr"));

        assertThat(warnings)
                .containsExactly(
                        "/var/lib/felice/etc/io.felice-else.cfg does not have the name of an installed bundle, so no bundle reads it.",
                        misnamed + " does not have the name of an installed bundle, so no bundle reads it."
                                + " Did you mean io.felice.broker.cfg?");
    }

    @Test
    void aFileThatBelongsToNoBundleIsReportedWhileTheNodeRuns() {
        seen("num.partitions", "3");
        configurations.add(file("io.felice.netwrk", "/var/lib/felice/etc/io.felice.netwrk.cfg"));

        check.configurationEvent(
                new ConfigurationEvent(SENDER, ConfigurationEvent.CM_UPDATED, null, "io.felice.netwrk"));

        assertThat(warnings).hasSize(1);
        assertThat(warnings.get(0)).endsWith("Did you mean io.felice.network.cfg?");
    }

    @Test
    void aCorrectedValueApplies() {
        seen("num.partitions", "3");
        seen("num.partitions", "x");

        assertThat(seen("num.partitions", "4").get("num.partitions")).isEqualTo("4");
    }

    @Test
    void withoutALastGoodValueARunningNodeUsesTheDefault() {
        served = true;

        Dictionary<String, Object> seen = seen("num.partitions", "x");

        assertThat(seen.get("num.partitions")).isNull();
        assertThat(failures).isEmpty();
        assertThat(warnings).hasSize(1);
    }

    @Test
    void aMistakeIsLoggedOnce() {
        seen("num.partitions", "3");
        seen("num.partitions", "x", "foo", "bar");
        seen("num.partitions", "x", "foo", "bar");

        assertThat(warnings).hasSize(2);
    }

    @Test
    void aMistakeThatComesBackIsLoggedAgain() {
        seen("num.partitions", "3");
        seen("num.partitions", "x");
        seen("num.partitions", "3");
        seen("num.partitions", "x");

        assertThat(warnings).hasSize(2);
    }

    @Test
    void unknownKeysAreReported() {
        seen("foo", "bar");

        assertThat(warnings).containsExactly(FILE + ": foo is no setting and is ignored.");
    }

    @Test
    void theProbablyMeantKeyIsReported() {
        seen("num.partition", "3", "auto_create_topics.enable", "true", "num.network.threads", "3");

        assertThat(warnings)
                .containsExactlyInAnyOrder(
                        FILE + ": num.partition is no setting and is ignored. Did you mean num.partitions?",
                        FILE
                                + ": auto_create_topics.enable is no setting and is ignored. Did you mean auto.create.topics.enable?",
                        FILE
                                + ": num.network.threads is no setting and is ignored. It belongs in io.felice.network.cfg.");
    }

    @Test
    void configurationsOfOtherSoftwareAreNotChecked() {
        Dictionary<String, Object> properties = new Hashtable<>(Map.of("service.pid", "org.example", "foo", "bar"));

        check.modifyConfiguration(null, properties);

        assertThat(properties.get("foo")).isEqualTo("bar");
        assertThat(warnings).isEmpty();
    }

    /** The configuration that the broker's components get from a file with these lines. */
    private Dictionary<String, Object> seen(String... lines) {
        Dictionary<String, Object> properties = file("io.felice.broker", FILE, lines);
        check.modifyConfiguration(null, properties);
        return properties;
    }

    private static Dictionary<String, Object> file(String pid, String file, String... lines) {
        Dictionary<String, Object> properties = new Hashtable<>();
        properties.put("service.pid", pid);
        properties.put("felix.fileinstall.filename", "file:" + file);
        for (int i = 0; i < lines.length; i += 2) {
            properties.put(lines[i], lines[i + 1]);
        }
        return properties;
    }
}
