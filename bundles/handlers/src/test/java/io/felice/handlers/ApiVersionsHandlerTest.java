package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.felice.api.ErrorCode;
import io.felice.protocol.ServedApis.Range;
import java.util.List;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.junit.jupiter.api.Test;

class ApiVersionsHandlerTest {
    private final List<Range> ranges =
            List.of(new Range((short) 0, (short) 0, (short) 11), new Range((short) 18, (short) 0, (short) 4));
    private final ApiVersionsHandler handler = new ApiVersionsHandler(() -> ranges);

    @Test
    void whatIsServedIsTold() throws Exception {
        ApiVersionsResponseData response = ask("apache-kafka-java", "4.4.0", 4);

        assertThat(response.errorCode()).isZero();
        assertThat(response.apiKeys())
                .extracting(ApiVersion::apiKey, ApiVersion::minVersion, ApiVersion::maxVersion)
                .containsExactly(tuple((short) 0, (short) 0, (short) 11), tuple((short) 18, (short) 0, (short) 4));
        assertThat(response.supportedFeatures())
                .extracting(feature -> feature.name(), feature -> feature.minVersion(), feature -> feature.maxVersion())
                .containsExactly(tuple("felice.version", (short) 1, (short) 1));
        assertThat(response.finalizedFeatures())
                .as("no transaction.version, no group.version, no share.version")
                .extracting(feature -> feature.name(), feature -> feature.maxVersionLevel())
                .containsExactly(tuple("felice.version", (short) 1));
        assertThat(response.finalizedFeaturesEpoch()).isZero();
    }

    @Test
    void aClientWhoseNameIsNoNameIsRefused() throws Exception {
        for (String name : List.of("", "-x", "x-", "a b", "ä")) {
            assertThat(ErrorCode.of(ask(name, "1.0", 3).errorCode())).as(name).isEqualTo(ErrorCode.INVALID_REQUEST);
            assertThat(ErrorCode.of(ask("java", name, 3).errorCode())).as(name).isEqualTo(ErrorCode.INVALID_REQUEST);
        }
        assertThat(ask("", "", 2).errorCode()).isZero();
    }

    @Test
    void aClientThatMeantAnotherNodeIsToldToBeginAgain() throws Exception {
        FakeCluster cluster = new FakeCluster();
        assertThat(askFor("elsewhere", 3)).as("as long as the broker is away").isEqualTo(ErrorCode.NONE);

        handler.bindMetadata(cluster);

        assertThat(askFor("cluster", FakeCluster.BROKER)).isEqualTo(ErrorCode.NONE);
        assertThat(askFor(null, -1)).isEqualTo(ErrorCode.NONE);
        assertThat(askFor("elsewhere", FakeCluster.BROKER)).isEqualTo(ErrorCode.REBOOTSTRAP_REQUIRED);
        assertThat(askFor("cluster", 3)).isEqualTo(ErrorCode.REBOOTSTRAP_REQUIRED);
        assertThat(askFor("cluster", -1)).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(askFor(null, FakeCluster.BROKER)).isEqualTo(ErrorCode.INVALID_REQUEST);
        handler.unbindMetadata(cluster);
        assertThat(askFor("elsewhere", 3)).isEqualTo(ErrorCode.NONE);
    }

    private ErrorCode askFor(String clusterId, int nodeId) throws Exception {
        ApiVersionsRequestData request = new ApiVersionsRequestData()
                .setClientSoftwareName("java")
                .setClientSoftwareVersion("4.4.0")
                .setClusterId(clusterId)
                .setNodeId(nodeId);
        return ErrorCode.of(Asking.ask(handler, request, 5).errorCode());
    }

    private ApiVersionsResponseData ask(String name, String version, int apiVersion) throws Exception {
        return Asking.ask(
                handler,
                new ApiVersionsRequestData().setClientSoftwareName(name).setClientSoftwareVersion(version),
                apiVersion);
    }
}
