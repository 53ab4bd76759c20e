package io.felice.controller;

import static io.felice.controller.ControllerSetup.only;
import static io.felice.controller.ControllerSetup.withBrokers;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin.ConfigChange;
import io.felice.api.cluster.Admin.ConfigChange.Operation;
import io.felice.api.cluster.Outcome;
import io.felice.api.config.ConfigResource;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Dynamic configs of topics and brokers. */
class DynamicConfigsTest {
    private static final ConfigResource TOPIC = ConfigResource.topic("t");
    private static final ConfigResource OFFSETS = ConfigResource.topic("__consumer_offsets");

    private final ControllerSetup setup = withBrokers(1);

    @BeforeEach
    void topics() {
        setup.create("t", 1, 1);
        setup.create("__consumer_offsets", 1, 1);
        setup.create("__transaction_state", 1, 1);
    }

    @Test
    void aValueIsSetAndTakenBack() {
        assertThat(alter(TOPIC, change("retention.ms", Operation.SET, "7")).error())
                .isEqualTo(ErrorCode.NONE);
        assertThat(setup.view().configs(TOPIC)).isEqualTo(Map.of("retention.ms", "7"));

        assertThat(alter(TOPIC, change("retention.ms", Operation.DELETE, null)).error())
                .isEqualTo(ErrorCode.NONE);

        assertThat(setup.view().configs(TOPIC)).isEmpty();
    }

    @Test
    void listsAreAppendedToAndSubtractedFrom() {
        assertThat(alter(OFFSETS, change("cleanup.policy", Operation.APPEND, "compact"))
                        .error())
                .isEqualTo(ErrorCode.NONE);
        assertThat(setup.view().configs(OFFSETS)).isEqualTo(Map.of("cleanup.policy", "delete,compact"));

        assertThat(alter(OFFSETS, change("cleanup.policy", Operation.SUBTRACT, "delete"))
                        .error())
                .isEqualTo(ErrorCode.NONE);

        assertThat(setup.view().configs(OFFSETS)).isEqualTo(Map.of("cleanup.policy", "compact"));
        assertThat(alter(TOPIC, change("retention.ms", Operation.APPEND, "7")).error())
                .isEqualTo(ErrorCode.INVALID_CONFIG);
    }

    @Test
    void allChangesOfAResourceAreMadeOrNone() {
        Outcome<Void> outcome = alter(
                TOPIC, change("retention.ms", Operation.SET, "7"), change("segment.bytes", Operation.SET, "huge"));

        assertThat(outcome.error()).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(outcome.message()).contains("segment.bytes").contains("huge");
        assertThat(setup.view().configs(TOPIC)).isEmpty();
    }

    @Test
    void whatIsUnknownWrongOrFixedIsRefused() {
        assertThat(alter(TOPIC, change("colour", Operation.SET, "red")).error()).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(alter(ConfigResource.topic("none"), change("retention.ms", Operation.SET, "7"))
                        .error())
                .isEqualTo(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(alter(TOPIC, change("cleanup.policy", Operation.SET, "tidy")).error())
                .isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(alter(ConfigResource.broker(1), change("offsets.topic.num.partitions", Operation.SET, "7"))
                        .error())
                .isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(alter(
                                new ConfigResource(ConfigResource.Type.BROKER, "one"),
                                change("num.partitions", Operation.SET, "7"))
                        .error())
                .isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(alter(TOPIC, change("retention.ms", Operation.SET, null)).error())
                .isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(alter(TOPIC, change("retention.ms", Operation.SET, "1"), change("retention.ms", Operation.SET, "2"))
                        .error())
                .isEqualTo(ErrorCode.INVALID_REQUEST);
    }

    @Test
    void whatIsNotThereIsTakenAwayWithoutAWord() {
        for (ConfigResource resource : List.of(TOPIC, ConfigResource.broker(1))) {
            for (String key : List.of("colour", "retention.ms", "log.dirs")) {
                assertThat(alter(resource, change(key, Operation.DELETE, null)).error())
                        .isEqualTo(ErrorCode.NONE);
            }
        }
        assertThat(setup.view().configs(TOPIC)).isEmpty();
    }

    @Test
    void aBrokerKeepsANameThatNobodyHasDeclaredIfItIsNotTooLong() {
        String tooLong = "x".repeat(DynamicConfigs.MAX_NAME_LENGTH + 1);

        assertThat(alter(ConfigResource.broker(1), change("my.plugin.colour", Operation.SET, "red"))
                        .error())
                .isEqualTo(ErrorCode.NONE);
        assertThat(alter(ConfigResource.broker(1), change(tooLong, Operation.SET, "red"))
                        .error())
                .isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(alter(ConfigResource.broker(1), change("log.dirs", Operation.SET, "/x"))
                        .message())
                .isEqualTo("Cannot update these configs dynamically: [log.dirs]");
        assertThat(setup.view().configs(ConfigResource.broker(1))).isEqualTo(Map.of("my.plugin.colour", "red"));
    }

    @Test
    void brokersHaveTheirOwnAndADefaultForAll() {
        assertThat(alter(ConfigResource.broker(1), change("log.retention.ms", Operation.SET, "7"))
                        .error())
                .isEqualTo(ErrorCode.NONE);
        assertThat(alter(ConfigResource.allBrokers(), change("num.partitions", Operation.SET, "3"))
                        .error())
                .isEqualTo(ErrorCode.NONE);

        assertThat(setup.view().configs(ConfigResource.broker(1))).isEqualTo(Map.of("log.retention.ms", "7"));
        assertThat(setup.view().configs(ConfigResource.allBrokers())).isEqualTo(Map.of("num.partitions", "3"));
    }

    @Test
    void validationAloneChangesNothing() {
        Outcome<Void> outcome = only(setup.controller.alterConfigs(
                Map.of(TOPIC, List.of(change("retention.ms", Operation.SET, "7"))), true));

        assertThat(outcome.error()).isEqualTo(ErrorCode.NONE);
        assertThat(setup.view().configs(TOPIC)).isEmpty();
    }

    private Outcome<Void> alter(ConfigResource resource, ConfigChange... changes) {
        return only(setup.controller.alterConfigs(Map.of(resource, List.of(changes)), false));
    }

    private static ConfigChange change(String key, Operation operation, String value) {
        return new ConfigChange(key, operation, value);
    }
}
