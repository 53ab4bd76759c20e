package io.felice.shell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LogLevelsTest {
    private final Dictionary<String, Object> file = new Hashtable<>(Map.of(
            "log4j2.rootLogger.level", "INFO",
            "log4j2.logger.scr.name", "ROOT",
            "log4j2.logger.scr.level", "WARN",
            "log4j2.logger.karaf.name", "org.apache.karaf",
            "log4j2.logger.karaf.level", "WARN"));

    @Test
    void theRootLevelIsNotTheLevelOfALoggerNamedRoot() {
        Dictionary<String, Object> changed = LogLevels.change(file, "DEBUG", "ROOT");

        assertThat(changed.get("log4j2.rootLogger.level")).isEqualTo("DEBUG");
        assertThat(changed.get("log4j2.logger.scr.level")).isEqualTo("WARN");
        assertThatThrownBy(() -> LogLevels.change(file, "DEFAULT", "ROOT")).hasMessageContaining("needs a level");
    }

    @Test
    void aLoggerWithALevelKeepsItsKey() {
        Dictionary<String, Object> changed = LogLevels.change(file, "DEBUG", "org.apache.karaf");

        assertThat(changed.get("log4j2.logger.karaf.level")).isEqualTo("DEBUG");
        assertThat(changed.size()).isEqualTo(file.size());
    }

    @Test
    void theLevelOfALoggerIsSetAndRemoved() {
        Dictionary<String, Object> set = LogLevels.change(file, "TRACE", "io.felice.broker");
        Dictionary<String, Object> unset = LogLevels.change(set, "DEFAULT", "io.felice.broker");

        assertThat(set.get("log4j2.logger.io_felice_broker.name")).isEqualTo("io.felice.broker");
        assertThat(set.get("log4j2.logger.io_felice_broker.level")).isEqualTo("TRACE");
        assertThat(unset).isEqualTo(file);
    }

    @Test
    void noMoreLoggersThanTheLimitHaveALevelOfTheirOwn() {
        Dictionary<String, Object> levels = file;
        for (int i = 2; i < LogLevels.MOST_LOGGERS; i++) {
            levels = LogLevels.change(levels, "DEBUG", "logger." + i);
        }
        Dictionary<String, Object> full = levels;

        assertThatThrownBy(() -> LogLevels.change(full, "DEBUG", "one.more"))
                .hasMessageStartingWith("1000 loggers have a level of their own");
        LogLevels.change(full, "INFO", "logger.7");
        LogLevels.change(LogLevels.change(full, "DEFAULT", "logger.7"), "DEBUG", "one.more");
    }

    @Test
    void aWrongLevelIsRefusedBeforeAnythingIsChanged() {
        assertThatThrownBy(() -> new LogLevels(null).set("LOUD", "ROOT"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("There is no log level LOUD. There are OFF, ERROR, WARN");
    }

    @Test
    void theEffectiveLevelIsRead() {
        assertThat(LogLevels.inForce("io.felice.shell")).isEqualTo("INFO");
    }
}
