package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.felice.api.ErrorCode;
import java.util.List;
import org.apache.kafka.common.message.ListConfigResourcesRequestData;
import org.apache.kafka.common.message.ListConfigResourcesResponseData;
import org.apache.kafka.common.message.ListConfigResourcesResponseData.ConfigResource;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UnregisterBrokerResponseData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData;
import org.apache.kafka.common.message.UpdateFeaturesRequestData.FeatureUpdateKey;
import org.apache.kafka.common.message.UpdateFeaturesRequestData.FeatureUpdateKeyCollection;
import org.apache.kafka.common.message.UpdateFeaturesResponseData;
import org.junit.jupiter.api.Test;

/** Requests about the whole cluster. */
class ClusterAdminTest {
    private final FakeCluster cluster = new FakeCluster();
    private final FakeAdmin admin = new FakeAdmin(cluster);

    @Test
    void theOneFeatureStaysAtItsLevel() throws Exception {
        UpdateFeaturesResponseData same = update(1, "felice.version", 1);
        UpdateFeaturesResponseData higher = update(2, "felice.version", 2);
        UpdateFeaturesResponseData none = update(2, "felice.version", 0);
        UpdateFeaturesResponseData kafkas = update(2, "transaction.version", 2);

        assertThat(same.errorCode()).isZero();
        assertThat(same.results()).extracting(result -> result.feature()).containsExactly("felice.version");
        assertThat(List.of(higher, none, kafkas))
                .extracting(response -> ErrorCode.of(response.errorCode()))
                .containsOnly(ErrorCode.INVALID_UPDATE_VERSION);
        assertThat(higher.errorMessage()).endsWith("Local controller 7 only supports versions 1-1");
        assertThat(kafkas.errorMessage()).endsWith("Local controller 7 does not support this feature.");
    }

    private UpdateFeaturesResponseData update(int version, String feature, int level) throws Exception {
        FeatureUpdateKeyCollection updates = new FeatureUpdateKeyCollection();
        updates.add(new FeatureUpdateKey().setFeature(feature).setMaxVersionLevel((short) level));
        return Asking.ask(
                new UpdateFeaturesHandler(cluster, FakeAuthorization.open()),
                new UpdateFeaturesRequestData().setFeatureUpdates(updates),
                version);
    }

    @Test
    void aBrokerIsRemovedByTheControllerOrItIsSaidWhyNot() throws Exception {
        admin.refuse(7, ErrorCode.INVALID_REQUEST, "Broker 7 runs");

        assertThat(ErrorCode.of(unregister(8).errorCode())).isEqualTo(ErrorCode.NONE);
        assertThat(unregister(8).errorMessage()).isNull();
        assertThat(ErrorCode.of(unregister(7).errorCode())).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(unregister(7).errorMessage()).isEqualTo("Broker 7 runs");
        admin.fail(ErrorCode.COORDINATOR_NOT_AVAILABLE);
        assertThat(ErrorCode.of(unregister(8).errorCode())).isEqualTo(ErrorCode.NOT_CONTROLLER);
    }

    private UnregisterBrokerResponseData unregister(int id) throws Exception {
        return Asking.ask(
                new UnregisterBrokerHandler(admin, cluster, FakeAuthorization.open()),
                new UnregisterBrokerRequestData().setBrokerId(id),
                0);
    }

    @Test
    void whatHasConfigsIsListedByType() throws Exception {
        cluster.topic("b", 1);
        cluster.topic("a", 1);

        assertThat(list(1).configResources())
                .extracting(ConfigResource::resourceType, ConfigResource::resourceName)
                .containsExactly(
                        tuple((byte) 8, "7"), tuple((byte) 4, "7"), tuple((byte) 2, "a"), tuple((byte) 2, "b"));
        assertThat(list(1, 2).configResources())
                .extracting(ConfigResource::resourceName)
                .containsExactly("a", "b");
        assertThat(list(1, 16, 32).configResources()).isEmpty();
        assertThat(list(0).configResources()).isEmpty();
        assertThat(ErrorCode.of(list(1, 2, 99).errorCode())).isEqualTo(ErrorCode.UNSUPPORTED_VERSION);
    }

    private ListConfigResourcesResponseData list(int version, int... types) throws Exception {
        List<Byte> asked =
                java.util.Arrays.stream(types).mapToObj(type -> (byte) type).toList();
        return Asking.ask(
                new ListConfigResourcesHandler(cluster, FakeAuthorization.open()),
                new ListConfigResourcesRequestData().setResourceTypes(asked),
                version);
    }
}
