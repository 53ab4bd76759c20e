package io.felice.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What comes of mistakes in a file, at the start and while the node runs. */
class ConfigurationCheckTest {
    private static final String FILE = "/var/lib/felice/etc/io.felice.broker.cfg";

    private final List<String> failures = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private boolean served;

    private final ConfigurationCheck check =
            new ConfigurationCheck(new Known(), () -> served, failures::add, warnings::add);

    /** Two bundles with a few settings each. */
    private static final class Known implements Settings {
        private final Map<String, Map<String, Setting>> all = Map.of(
                "io.felice.broker",
                Map.of(
                        "num.partitions", number(1, 10_000),
                        "delay.ms", number(0, Long.MAX_VALUE),
                        "auto.create.topics.enable", new Setting(Setting.Kind.FLAG, null, null, false),
                        "rack", Setting.text()),
                "io.felice.network",
                Map.of("num.network.threads", number(0, 1_000)));

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
    void letsGoodValuesPassWithoutTheBlanksAroundThem() {
        Dictionary<String, Object> seen = seen("num.partitions", "3 ", "auto.create.topics.enable", "false");

        assertThat(seen.get("num.partitions")).isEqualTo("3");
        assertThat(seen.get("auto.create.topics.enable")).isEqualTo("false");
        assertThat(failures).isEmpty();
        assertThat(warnings).isEmpty();
    }

    @Test
    void failsTheLaunchWithFileKeyValueAndWhatIsExpected() {
        seen("num.partitions", "x");

        assertThat(failures)
                .containsExactly(FILE + ": num.partitions is \"x\", but it must be a whole number from 1 to 10000.");
    }

    @Test
    void keepsTheComponentDownWhenTheLaunchFailed() {
        Dictionary<String, Object> seen = seen("auto.create.topics.enable", "yes", "num.partitions", "3");

        assertThat(seen.get("num.partitions"))
                .as("what cannot be converted, so that the component is not made")
                .isEqualTo("refused, see " + FILE);
        assertThat(failures)
                .containsExactly(FILE + ": auto.create.topics.enable is \"yes\", but it must be true or false.");
    }

    @Test
    void refusesWhatIsOutOfRange() {
        seen("delay.ms", "-5");

        assertThat(failures)
                .containsExactly(FILE + ": delay.ms is \"-5\", but it must be a whole number of at least 0.");
    }

    @Test
    void tellsOfEveryMistakeInAFile() {
        seen("num.partitions", "x", "delay.ms", "");

        assertThat(failures).hasSize(1);
        assertThat(failures.get(0)).contains("num.partitions is \"x\"", "delay.ms is \"\"");
    }

    @Test
    void keepsTheLastGoodValueWhileRunning() {
        seen("num.partitions", "3");

        Dictionary<String, Object> seen = seen("num.partitions", "x");

        assertThat(seen.get("num.partitions")).isEqualTo("3");
        assertThat(failures).isEmpty();
        assertThat(warnings)
                .containsExactly(FILE + ": num.partitions is \"x\", but it must be a whole number from 1 to 10000."
                        + " It stays 3 until that is corrected.");
    }

    @Test
    void keepsTheLastGoodValueThroughSeveralMistakes() {
        seen("num.partitions", "3");
        seen("num.partitions", "x");

        Dictionary<String, Object> seen = seen("num.partitions", "y", "delay.ms", "z");

        assertThat(seen.get("num.partitions")).isEqualTo("3");
        assertThat(seen.get("delay.ms")).as("its default").isNull();
        assertThat(warnings).hasSize(3);
        assertThat(warnings).anyMatch(warning -> warning.endsWith("The default is in force until that is corrected."));
    }

    @Test
    void takesTheCorrectedValue() {
        seen("num.partitions", "3");
        seen("num.partitions", "x");

        assertThat(seen("num.partitions", "4").get("num.partitions")).isEqualTo("4");
    }

    @Test
    void goesOnWithTheDefaultIfItIsMadeAnewWhileTheNodeServes() {
        served = true;

        Dictionary<String, Object> seen = seen("num.partitions", "x");

        assertThat(seen.get("num.partitions")).isNull();
        assertThat(failures).isEmpty();
        assertThat(warnings).hasSize(1);
    }

    @Test
    void saysTheSameToTheLogOnlyOnce() {
        seen("num.partitions", "3");
        seen("num.partitions", "x", "foo", "bar");
        seen("num.partitions", "x", "foo", "bar");

        assertThat(warnings).hasSize(2);
    }

    @Test
    void saysItAgainWhenTheSameMistakeComesBack() {
        seen("num.partitions", "3");
        seen("num.partitions", "x");
        seen("num.partitions", "3");
        seen("num.partitions", "x");

        assertThat(warnings).hasSize(2);
    }

    @Test
    void warnsOfKeysThatNobodyKnows() {
        seen("foo", "bar");

        assertThat(warnings).containsExactly(FILE + ": foo is no setting and is ignored.");
    }

    @Test
    void namesTheKeyThatWasMeant() {
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
    void leavesOthersAlone() {
        Dictionary<String, Object> properties = new Hashtable<>(Map.of("service.pid", "org.example", "foo", "bar"));

        check.modifyConfiguration(null, properties);

        assertThat(properties.get("foo")).isEqualTo("bar");
        assertThat(warnings).isEmpty();
    }

    /** What the broker's components see of a file with these lines. */
    private Dictionary<String, Object> seen(String... lines) {
        Dictionary<String, Object> properties = new Hashtable<>();
        properties.put("service.pid", "io.felice.broker");
        properties.put("felix.fileinstall.filename", "file:" + FILE);
        for (int i = 0; i < lines.length; i += 2) {
            properties.put(lines[i], lines[i + 1]);
        }
        check.modifyConfiguration(null, properties);
        return properties;
    }
}
