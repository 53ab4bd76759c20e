package io.felice.controller;

import static io.felice.controller.ControllerSetup.only;
import static io.felice.controller.ControllerSetup.withBrokers;
import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.api.TopicPartition;
import io.felice.api.cluster.Admin.ConfigChange;
import io.felice.api.cluster.Admin.NewTopic;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.Outcome;
import io.felice.api.config.ConfigResource;
import io.felice.api.storage.EngineTrait;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Topics ask for what a storage engine of the cluster has to give. */
class ClusterEnginesTest {
    private static final Set<EngineTrait> ALL = Set.of(EngineTrait.values());
    private static final Set<EngineTrait> KILL_ONLY = Set.of(EngineTrait.SURVIVES_KILL);
    private static final Set<EngineTrait> NONE = Set.of();

    private final ControllerSetup setup = withBrokers();

    @Test
    void theEngineThatATopicNamesMustGiveTheDurability() {
        broker(0, Map.of("log", ALL, "kv", KILL_ONLY, "memory", NONE));

        assertThat(create("a", Map.of("storage.engine", "log", "storage.durability", "power")))
                .isEqualTo(ErrorCode.NONE);
        assertThat(create("b", Map.of("storage.engine", "kv", "storage.durability", "kill")))
                .isEqualTo(ErrorCode.NONE);
        assertThat(create("c", Map.of("storage.engine", "kv", "storage.durability", "power")))
                .isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(create("d", Map.of("storage.engine", "kv", "flush.messages", "1")))
                .isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(create("e", Map.of("storage.engine", "memory", "storage.durability", "kill")))
                .isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(create("f", Map.of("storage.engine", "memory"))).isEqualTo(ErrorCode.NONE);
        assertThat(setup.view().topic("e")).isEmpty();
    }

    @Test
    void theRefusalSaysWhy() {
        broker(0, Map.of("memory", NONE));

        Outcome<?> outcome = only(setup.controller.createTopics(
                List.of(new NewTopic("t", 1, 1, Map.of(), Map.of("storage.durability", "power"))), false));

        assertThat(outcome.message())
                .isEqualTo(
                        "Topic t cannot have storage.durability=power: the records of its engine memory do not survive a"
                                + " power cut.");
    }

    @Test
    void aTopicThatNamesNoEngineIsHeldAgainstTheOneThatThePlacementRuleGivesIt() {
        broker(0, Map.of("log", ALL, "memory", NONE));
        assertThat(create("a", Map.of("storage.durability", "power"))).isEqualTo(ErrorCode.NONE);
        alterAll("storage.placement", "m*:memory,*:log");

        assertThat(create("mine", Map.of("storage.durability", "power"))).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(create("b", Map.of("storage.durability", "power"))).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void theControllerChoosesTheEngineOnceAndAChangedRuleDoesNotMoveTheTopic() {
        broker(0, Map.of("log", ALL, "memory", NONE));
        alterAll("storage.placement", "*:memory");
        create("t", Map.of());

        alterAll("storage.placement", "*:log");

        assertThat(setup.view().topic("t").orElseThrow().engine()).isEqualTo("memory");
        assertThat(setup.view().configs(ConfigResource.topic("t"))).isEmpty();
        assertThat(ClusterConfigs.of(setup.view()).engineOf("t")).isEqualTo("memory");
        assertThat(alter("t", "storage.durability", "power")).isEqualTo(ErrorCode.INVALID_CONFIG);
    }

    @Test
    void noPartitionIsMovedToABrokerWithoutTheEngine() {
        broker(0, Map.of("log", ALL, "memory", NONE));
        broker(1, Map.of("memory", NONE));
        create("t", Map.of());

        Outcome<Void> refused =
                only(setup.controller.reassign(Map.of(new TopicPartition("t", 0), Optional.of(List.of(1)))));

        assertThat(setup.partition("t", 0).replicas()).containsExactly(0);
        assertThat(refused.error()).isEqualTo(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
        assertThat(refused.message()).contains("broker 1, which has not the topic's storage engine log");
    }

    @Test
    void anEngineThatNoBrokerHasIsRefused() {
        broker(0, Map.of("log", ALL));

        assertThat(create("a", Map.of("storage.engine", "tape"))).isEqualTo(ErrorCode.INVALID_CONFIG);
    }

    @Test
    void anEngineGivesWhatItGivesOnEveryBroker() {
        broker(0, Map.of("kv", ALL));
        broker(1, Map.of("kv", KILL_ONLY));

        assertThat(create("a", Map.of("storage.engine", "kv", "storage.durability", "power")))
                .isEqualTo(ErrorCode.INVALID_CONFIG);
    }

    @Test
    void aChangeOfAnExistingTopicIsHeldAgainstItsEngine() {
        broker(0, Map.of("log", ALL, "memory", NONE));
        create("t", Map.of("storage.engine", "memory"));

        assertThat(alter("t", "storage.durability", "power")).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(alter("t", "storage.durability", "none")).isEqualTo(ErrorCode.NONE);
        assertThat(alter("t", "retention.ms", "5")).isEqualTo(ErrorCode.NONE);
        assertThat(setup.view().configs(ConfigResource.topic("t"))).containsEntry("storage.durability", "none");
    }

    @Test
    void brokersThatDoNotSayWhichEnginesTheyHaveRefuseNothing() {
        setup.register(ControllerSetup.broker(0));

        assertThat(create("a", Map.of("storage.engine", "tape", "storage.durability", "power")))
                .isEqualTo(ErrorCode.NONE);
    }

    private void broker(int id, Map<String, Set<EngineTrait>> engines) {
        BrokerRegistration plain = ControllerSetup.broker(id);
        setup.register(
                new BrokerRegistration(id, UUID.randomUUID(), plain.storeId(), plain.endpoints(), null, engines));
    }

    private ErrorCode create(String topic, Map<String, String> configs) {
        return only(setup.controller.createTopics(List.of(new NewTopic(topic, 1, 1, Map.of(), configs)), false))
                .error();
    }

    private void alterAll(String key, String value) {
        ConfigChange change = new ConfigChange(key, ConfigChange.Operation.SET, value);
        assertThat(only(setup.controller.alterConfigs(Map.of(ConfigResource.allBrokers(), List.of(change)), false))
                        .error())
                .isEqualTo(ErrorCode.NONE);
    }

    private ErrorCode alter(String topic, String key, String value) {
        ConfigChange change = new ConfigChange(key, ConfigChange.Operation.SET, value);
        return only(setup.controller.alterConfigs(Map.of(ConfigResource.topic(topic), List.of(change)), false))
                .error();
    }
}
