package io.felice.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** Kafka's broker settings in the file of the broker. */
class BrokerKeysTest {
    private final Map<String, Setting> settings = BrokerKeys.settings();

    @Test
    void aPlacementConsistsOfPairs() {
        Setting placement = settings.get("storage.placement");

        assertThat(placement.objection(" mem*:memory, *:log ")).isEmpty();
        assertThat(placement.objection(new String[] {"mem*:memory", "*:log"})).isEmpty();
        assertThat(placement.objection("nonsense")).contains("pattern:engine pairs, as in audit-*:mvstore,*:log");
        assertThat(placement.objection("")).isNotEmpty();
    }

    @Test
    void anUnknownWordIsRefusedWithTheLegalWords() {
        assertThat(settings.get("log.cleanup.policy").objection("delete")).isEmpty();
        assertThat(settings.get("log.cleanup.policy").objection("delete,archive"))
                .contains("one of delete, compact");
        assertThat(settings.get("log.message.timestamp.type").objection("LogAppendTime"))
                .isEmpty();
        assertThat(settings.get("log.message.timestamp.type").objection("Yesterday"))
                .isNotEmpty();
        assertThat(settings.get("num.partitions").objection("many")).isNotEmpty();
    }
}
