package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.Admin.ConfigChange;
import io.felice.api.cluster.Admin.ConfigChange.Operation;
import io.felice.api.config.ConfigResource;
import io.felice.api.log.Loggers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsSynonym;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** DescribeConfigs, AlterConfigs and IncrementalAlterConfigs. */
class ConfigHandlersTest {
    private static final byte UNKNOWN = 1;
    private static final byte TOPIC = 2;
    private static final byte BROKER = 4;
    private static final byte BROKER_LOGGER = 8;
    private static final byte SET = 0;
    private static final byte DELETE = 1;
    private static final byte APPEND = 2;

    private final FakeCluster cluster = new FakeCluster();
    private final FakeAdmin admin = new FakeAdmin(cluster);
    private final FakeConfigs configs = new FakeConfigs(cluster);
    private final DescribeConfigsHandler describe =
            new DescribeConfigsHandler(configs, cluster, FakeAuthorization.open());
    private final AlterConfigsHandler alter =
            new AlterConfigsHandler(admin, cluster, configs, FakeAuthorization.open());
    private final IncrementalAlterConfigsHandler change =
            new IncrementalAlterConfigsHandler(admin, cluster, configs, FakeAuthorization.open());

    private final FakeLoggers loggers = new FakeLoggers();

    private static final class FakeLoggers implements Loggers {
        final List<Map<String, Optional<String>>> changed = new ArrayList<>();

        @Override
        public Map<String, String> levels() {
            return Map.of(ROOT, "INFO", "io.felice.broker", "DEBUG");
        }

        @Override
        public CompletionStage<Void> change(Map<String, Optional<String>> levels) {
            changed.add(levels);
            return CompletableFuture.completedFuture(null);
        }
    }

    @BeforeEach
    void topic() {
        cluster.topic("t", 1);
    }

    @Test
    void aTopicsConfigsAreShownWithTheirLayers() throws Exception {
        cluster.config(ConfigResource.topic("t"), "retention.ms", "1000");

        DescribeConfigsResult result = describe(TOPIC, "t", "retention.ms", "segment.bytes");

        DescribeConfigsResourceResult own = result.configs().get(0);
        assertThat(own.name()).isEqualTo("retention.ms");
        assertThat(own.value()).isEqualTo("1000");
        assertThat(own.configSource()).isEqualTo((byte) 1);
        assertThat(own.configType()).isEqualTo((byte) 5);
        assertThat(own.readOnly()).isFalse();
        assertThat(own.documentation()).contains("milliseconds");
        assertThat(own.synonyms())
                .extracting(DescribeConfigsSynonym::name, DescribeConfigsSynonym::source)
                .containsExactly(tuple("retention.ms", (byte) 1), tuple("log.retention.ms", (byte) 5));
        assertThat(result.configs().get(1).configSource()).isEqualTo((byte) 5);
    }

    @Test
    void synonymsAndDocumentationAreToldOnlyIfAskedFor() throws Exception {
        DescribeConfigsRequestData request = new DescribeConfigsRequestData()
                .setResources(List.of(new DescribeConfigsResource()
                        .setResourceType(TOPIC)
                        .setResourceName("t")
                        .setConfigurationKeys(null)));

        DescribeConfigsResult result =
                Asking.ask(describe, request, 4).results().get(0);

        assertThat(result.configs()).hasSizeGreaterThan(20).allSatisfy(config -> {
            assertThat(config.synonyms()).isEmpty();
            assertThat(config.documentation()).isNull();
        });
    }

    @Test
    void theBrokersOwnConfigsSayWhatOnlyAFileCanSet() throws Exception {
        DescribeConfigsResult result = describe(BROKER, "7", "num.partitions", "delete.topic.enable");

        assertThat(result.configs())
                .extracting(DescribeConfigsResourceResult::name, DescribeConfigsResourceResult::readOnly)
                .containsExactlyInAnyOrder(tuple("num.partitions", false), tuple("delete.topic.enable", true));
    }

    @Test
    void ofAllBrokersOnlyWhatWasSetIsShown() throws Exception {
        cluster.config(ConfigResource.allBrokers(), "num.partitions", "3");

        assertThat(describe(BROKER, "").configs())
                .extracting(DescribeConfigsResourceResult::name)
                .containsExactly("num.partitions");
    }

    @Test
    void logLevelsAreShownAsTheConfigsOfTheNodesLoggers() throws Exception {
        describe.bindLoggers(loggers);

        assertThat(describe(BROKER_LOGGER, "7").configs())
                .extracting(
                        DescribeConfigsResourceResult::name,
                        DescribeConfigsResourceResult::value,
                        DescribeConfigsResourceResult::configSource)
                .containsExactly(tuple("io.felice.broker", "DEBUG", (byte) 6), tuple("root", "INFO", (byte) 6));
        assertThat(describe(BROKER_LOGGER, "7", "root").configs()).hasSize(1);
        assertThat(error(describe(BROKER_LOGGER, "8"))).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(error(describe(BROKER_LOGGER, ""))).isEqualTo(ErrorCode.INVALID_REQUEST);
    }

    @Test
    void logLevelsAreSetAndTakenAway() throws Exception {
        assertThat(changeLevels(op("io.felice.network", SET, "TRACE")))
                .as("without a bundle that sets levels")
                .isEqualTo(ErrorCode.INVALID_REQUEST);
        change.bindLoggers(loggers);

        assertThat(changeLevels(op("io.felice.network", SET, "TRACE"), op("io.felice.broker", DELETE, null)))
                .isEqualTo(ErrorCode.NONE);

        assertThat(loggers.changed)
                .containsExactly(
                        Map.of("io.felice.network", Optional.of("TRACE"), "io.felice.broker", Optional.empty()));
        change.unbindLoggers(loggers);
        assertThat(changeLevels(op("root", SET, "INFO"))).isEqualTo(ErrorCode.INVALID_REQUEST);
    }

    @Test
    void aWrongLevelChangesNone() throws Exception {
        change.bindLoggers(loggers);

        assertThat(changeLevels(op("root", SET, "DEBUG"), op("io.felice.network", SET, "LOUD")))
                .isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(changeLevels(op("no logger", SET, "DEBUG"))).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(changeLevels(op("root", DELETE, null))).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(changeLevels(op("root", APPEND, "DEBUG"))).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(changeLevels(op("root", SET, null))).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(changeLevels(op("root", SET, "INFO"), op("root", SET, "DEBUG")))
                .isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(loggers.changed).isEmpty();
    }

    private ErrorCode changeLevels(IncrementalAlterConfigsRequestData.AlterableConfig... changes) throws Exception {
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        request.resources().add(resource("7", changes).setResourceType(BROKER_LOGGER));
        return ErrorCode.of(Asking.ask(change, request, 1).responses().get(0).errorCode());
    }

    @Test
    void whatDoesNotExistIsItsOwnError() throws Exception {
        assertThat(error(describe(TOPIC, "unknown"))).isEqualTo(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(error(describe(TOPIC, "not/valid"))).isEqualTo(ErrorCode.INVALID_TOPIC_EXCEPTION);
        assertThat(error(describe(BROKER, "8"))).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(error(describe(BROKER, "eight"))).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(error(describe(BROKER_LOGGER, "7"))).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(error(describe(UNKNOWN, ""))).isEqualTo(ErrorCode.INVALID_REQUEST);
    }

    @Test
    void theValueOfANameThatNobodyHasDeclaredIsNotShown() throws Exception {
        cluster.config(ConfigResource.allBrokers(), "my.plugin.secret", "red");

        DescribeConfigsResourceResult config = describe(BROKER, "").configs().get(0);

        assertThat(config.name()).isEqualTo("my.plugin.secret");
        assertThat(config.value()).isNull();
        assertThat(config.isSensitive()).isTrue();
        assertThat(config.synonyms()).extracting(DescribeConfigsSynonym::value).containsOnlyNulls();
    }

    @Test
    void anIllegalValueOfABrokerIsAnInvalidRequestAsInKafka() throws Exception {
        assertThat(changeBroker(op("num.partitions", SET, "many"))).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(changeBroker(op("num.partitions", APPEND, "1"))).isEqualTo(ErrorCode.INVALID_CONFIG);

        admin.refuse(ConfigResource.broker(7), ErrorCode.INVALID_CONFIG, "the controller says no");
        assertThat(changeBroker(op("num.partitions", SET, "3"))).isEqualTo(ErrorCode.INVALID_REQUEST);
    }

    @Test
    void aConfigThatNobodyKnowsIsTakenAwayWithoutAWord() throws Exception {
        assertThat(change("t", op("no.such", DELETE, null))).isEqualTo(ErrorCode.NONE);
        assertThat(changeBroker(op("no.such", DELETE, null))).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void anIncrementalChangeTouchesOnlyWhatItNames() throws Exception {
        cluster.config(ConfigResource.topic("t"), "retention.ms", "1000");
        cluster.config(ConfigResource.topic("t"), "segment.ms", "2000");

        assertThat(change("t", op("retention.ms", DELETE, "ignored"), op("segment.bytes", SET, "4096")))
                .isEqualTo(ErrorCode.NONE);

        assertThat(cluster.view().configs(ConfigResource.topic("t")))
                .isEqualTo(Map.of("segment.ms", "2000", "segment.bytes", "4096"));
    }

    @Test
    void aChangeIsAnsweredOnceItIsInForceAndDoesNotWaitForPartitionsThatOpen() throws Exception {
        cluster.opensNothing = true;

        assertThat(change("t", op("segment.bytes", SET, "4096"))).isEqualTo(ErrorCode.NONE);
        assertThat(replace("t", Map.of("retention.ms", "5"))).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void theLegacyChangeReplacesTheWholeSet() throws Exception {
        cluster.config(ConfigResource.topic("t"), "retention.ms", "1000");
        cluster.config(ConfigResource.topic("t"), "segment.ms", "2000");

        ErrorCode error = replace("t", Map.of("segment.ms", "3000"));

        assertThat(error).isEqualTo(ErrorCode.NONE);
        assertThat(cluster.view().configs(ConfigResource.topic("t"))).isEqualTo(Map.of("segment.ms", "3000"));
    }

    @Test
    void listsAreAppendedToByTheController() throws Exception {
        assertThat(change("t", op("cleanup.policy", APPEND, "delete"))).isEqualTo(ErrorCode.NONE);

        assertThat(admin.asked)
                .contains(Map.of(
                        ConfigResource.topic("t"),
                        List.of(new ConfigChange("cleanup.policy", Operation.APPEND, "delete"))));
    }

    @Test
    void mistakesAreRefusedBeforeTheControllerIsAsked() throws Exception {
        assertThat(change("unknown", op("retention.ms", SET, "1"))).isEqualTo(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(change("not/valid", op("retention.ms", SET, "1"))).isEqualTo(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(change("", op("retention.ms", SET, "1"))).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(change("t", op("no.such", SET, "1"))).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(change("t", op("retention.ms", SET, "soon"))).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(change("t", op("retention.ms", SET, null))).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(change("t", op("retention.ms", APPEND, "1"))).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(change("t", op("retention.ms", (byte) 9, "1"))).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(change("t", op("retention.ms", SET, "1"), op("retention.ms", DELETE, null)))
                .isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(admin.asked).isEmpty();
    }

    @Test
    void aChangeIsHeldAgainstWhatTheResourceHasAlready() throws Exception {
        cluster.config(ConfigResource.topic("t"), "storage.engine", "memory");
        cluster.topic("other", 1);

        assertThat(change("t", op("storage.durability", SET, "power"))).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(admin.asked).isEmpty();

        assertThat(change("t", op("storage.engine", DELETE, null), op("storage.durability", SET, "power")))
                .isEqualTo(ErrorCode.NONE);
        assertThat(change("other", op("storage.durability", SET, "power"))).isEqualTo(ErrorCode.NONE);
    }

    @Test
    void theLegacyChangeIsHeldAgainstNothingButItself() throws Exception {
        cluster.config(ConfigResource.topic("t"), "storage.engine", "memory");

        assertThat(replace("t", Map.of("storage.durability", "power"))).isEqualTo(ErrorCode.NONE);
        assertThat(replace("t", Map.of("storage.durability", "power", "storage.engine", "memory")))
                .isEqualTo(ErrorCode.INVALID_CONFIG);
    }

    @Test
    void aResourceNamedTwiceIsRefusedBothTimesAndItsNeighbourIsChanged() throws Exception {
        cluster.topic("other", 1);
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        for (String topic : List.of("t", "t", "other")) {
            request.resources().add(resource(topic, op("retention.ms", SET, "1")));
        }

        IncrementalAlterConfigsResponseData response = Asking.ask(change, request, 1);

        assertThat(response.responses())
                .extracting(result -> ErrorCode.of(result.errorCode()))
                .containsExactly(ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REQUEST, ErrorCode.NONE);
    }

    @Test
    void aChangeThatIsOnlyCheckedIsHandedOnAsSuchAndFailuresAreTold() throws Exception {
        admin.refuse(ConfigResource.topic("t"), ErrorCode.INVALID_CONFIG, "no engine of that name");
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData().setValidateOnly(true);
        request.resources().add(resource("t", op("storage.engine", SET, "none")));

        var result = Asking.ask(change, request, 1).responses().get(0);

        assertThat(ErrorCode.of(result.errorCode())).isEqualTo(ErrorCode.INVALID_CONFIG);
        assertThat(result.errorMessage()).isEqualTo("no engine of that name");
    }

    private DescribeConfigsResult describe(byte type, String name, String... keys) throws Exception {
        DescribeConfigsRequestData request = new DescribeConfigsRequestData()
                .setIncludeSynonyms(true)
                .setIncludeDocumentation(true)
                .setResources(List.of(new DescribeConfigsResource()
                        .setResourceType(type)
                        .setResourceName(name)
                        .setConfigurationKeys(List.of(keys))));
        return Asking.ask(describe, request, 4).results().get(0);
    }

    private static ErrorCode error(DescribeConfigsResult result) {
        assertThat(result.configs()).isEmpty();
        assertThat(result.errorMessage()).isNotBlank();
        return ErrorCode.of(result.errorCode());
    }

    private ErrorCode change(String topic, IncrementalAlterConfigsRequestData.AlterableConfig... changes)
            throws Exception {
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        request.resources().add(resource(topic, changes));
        return ErrorCode.of(Asking.ask(change, request, 1).responses().get(0).errorCode());
    }

    private ErrorCode changeBroker(IncrementalAlterConfigsRequestData.AlterableConfig change) throws Exception {
        IncrementalAlterConfigsRequestData request = new IncrementalAlterConfigsRequestData();
        request.resources().add(resource("7", change).setResourceType(BROKER));
        return ErrorCode.of(
                Asking.ask(this.change, request, 1).responses().get(0).errorCode());
    }

    private ErrorCode replace(String topic, Map<String, String> values) throws Exception {
        AlterConfigsRequestData.AlterableConfigCollection wanted =
                new AlterConfigsRequestData.AlterableConfigCollection();
        values.forEach((name, value) -> wanted.add(
                new AlterConfigsRequestData.AlterableConfig().setName(name).setValue(value)));
        AlterConfigsRequestData request = new AlterConfigsRequestData();
        request.resources()
                .add(new AlterConfigsRequestData.AlterConfigsResource()
                        .setResourceType(TOPIC)
                        .setResourceName(topic)
                        .setConfigs(wanted));
        AlterConfigsResponseData response = Asking.ask(alter, request, 2);
        return ErrorCode.of(response.responses().get(0).errorCode());
    }

    private static IncrementalAlterConfigsRequestData.AlterConfigsResource resource(
            String topic, IncrementalAlterConfigsRequestData.AlterableConfig... changes) {
        IncrementalAlterConfigsRequestData.AlterableConfigCollection all =
                new IncrementalAlterConfigsRequestData.AlterableConfigCollection();
        for (IncrementalAlterConfigsRequestData.AlterableConfig one : changes) {
            all.add(one);
        }
        return new IncrementalAlterConfigsRequestData.AlterConfigsResource()
                .setResourceType(TOPIC)
                .setResourceName(topic)
                .setConfigs(all);
    }

    private static IncrementalAlterConfigsRequestData.AlterableConfig op(String name, byte operation, String value) {
        return new IncrementalAlterConfigsRequestData.AlterableConfig()
                .setName(name)
                .setConfigOperation(operation)
                .setValue(value);
    }
}
