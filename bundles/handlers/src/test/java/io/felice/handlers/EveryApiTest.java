package io.felice.handlers;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.ErrorCode;
import io.felice.protocol.Apis;
import io.felice.protocol.KafkaMessages;
import io.felice.protocol.Request;
import io.felice.protocol.RequestContext;
import io.felice.protocol.ResponseFrame;
import io.felice.protocol.ServedApis;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Serializes a request of every API in every served version, handles it and serializes the response. */
class EveryApiTest {
    private final FakeCluster cluster = new FakeCluster();
    private final FakeAdmin admin = new FakeAdmin(cluster);
    private final FakePartitions partitions = new FakePartitions();
    private final FakeGroups groups = new FakeGroups();
    private final Deadlines deadlines = new Deadlines();
    private final ServedApis served = () -> List.of(new ServedApis.Range((short) 0, (short) 0, (short) 11));

    @AfterEach
    void stopDeadlines() {
        deadlines.close();
    }

    private List<Served> handlers() throws Exception {
        return Served.all(
                cluster,
                admin,
                partitions,
                groups,
                deadlines,
                served,
                new FakeConfigs(cluster),
                new FakeAuthentication(),
                FakeQuotas.none(),
                new Rights(new FakeAuthorization().allow(action -> true)));
    }

    @Test
    void exactlyTheExpectedApisAndThoseOfBrokersHaveAHandler() throws Exception {
        assertThat(handlers())
                .extracting(Served::api)
                .containsExactlyElementsOf(Apis.all().stream()
                        .filter(api -> api.expected() || api.ofBrokers())
                        .toList());
    }

    @TestFactory
    List<DynamicTest> aValidRequestIsAnsweredInItsVersion() throws Exception {
        List<DynamicTest> tests = new ArrayList<>();
        for (Served api : handlers()) {
            for (int version = api.from(); version <= api.to(); version++) {
                int asked = version;
                tests.add(DynamicTest.dynamicTest(nameOf(api, version), () -> {
                    UUID topic = cluster.topic("t", 2);
                    partitions.lead("t", 0);
                    partitions.put("t", 0, new byte[] {1, 2, 3}, 25);
                    partitions.fail("t", 1, ErrorCode.NOT_LEADER_OR_FOLLOWER);

                    ApiMessage answer = roundTrip(api, asked, topic);

                    assertThat(answer.apiKey()).isEqualTo(api.key());
                    cluster.delete(topic);
                }));
            }
        }
        return tests;
    }

    @TestFactory
    List<DynamicTest> whenEverythingFailsTheAnswerStillFitsItsVersion() throws Exception {
        for (int partition : new int[] {0, 9}) {
            partitions.fail("t", partition, ErrorCode.NOT_LEADER_OR_FOLLOWER);
        }
        partitions.producerId(java.util.concurrent.CompletableFuture.failedFuture(
                ErrorCode.COORDINATOR_NOT_AVAILABLE.because("no controller")));
        groups.fail(ErrorCode.NOT_COORDINATOR);
        admin.fail(ErrorCode.REQUEST_TIMED_OUT);
        List<DynamicTest> tests = new ArrayList<>();
        for (Served api : handlers()) {
            for (int version = api.from(); version <= api.to(); version++) {
                int asked = version;
                tests.add(DynamicTest.dynamicTest(nameOf(api, version), () -> {
                    UUID topic = cluster.topic("t", 10);

                    ApiMessage answer = roundTrip(api, asked, topic);

                    assertThat(answer.apiKey()).isEqualTo(api.key());
                    cluster.delete(topic);
                }));
            }
        }
        return tests;
    }

    private static String nameOf(Served api, int version) {
        return ApiMessageType.fromApiKey(api.key()).name + " v" + version;
    }

    private static ApiMessage roundTrip(Served api, int version, UUID topic) throws Exception {
        Request request = KafkaMessages.parse(frame(ValidRequests.of(api.key(), version, topic), version));
        RequestContext context = Asking.context(request.message(), version);
        ApiMessage response = api.handler()
                .handle(request.message(), context)
                .toCompletableFuture()
                .get(60, TimeUnit.SECONDS);
        try (ResponseFrame frame =
                KafkaMessages.encode(api.key(), (short) version, request.correlationId(), response)) {
            return read(bytes(frame), api.key(), (short) version);
        }
    }

    private static ByteBuffer frame(ApiMessage request, int version) {
        ApiMessageType api = ApiMessageType.fromApiKey(request.apiKey());
        RequestHeaderData header = new RequestHeaderData()
                .setRequestApiKey(request.apiKey())
                .setRequestApiVersion((short) version)
                .setCorrelationId(42)
                .setClientId("client");
        ByteBuffer head = MessageUtil.toByteBufferAccessor(header, api.requestHeaderVersion((short) version))
                .buffer();
        ByteBuffer body =
                MessageUtil.toByteBufferAccessor(request, (short) version).buffer();
        return ByteBuffer.allocate(head.remaining() + body.remaining())
                .put(head)
                .put(body)
                .flip();
    }

    private static ByteBuffer bytes(ResponseFrame frame) {
        ByteBuffer bytes = ByteBuffer.allocate((int) frame.sizeInBytes());
        frame.parts().forEach(part -> bytes.put(((ByteBuffer) part).duplicate()));
        return bytes.flip();
    }

    private static ApiMessage read(ByteBuffer frame, short key, short version) {
        assertThat(frame.getInt()).isEqualTo(frame.remaining());
        ApiMessageType api = ApiMessageType.fromApiKey(key);
        ByteBufferAccessor bytes = new ByteBufferAccessor(frame);
        ResponseHeaderData header = new ResponseHeaderData(bytes, api.responseHeaderVersion(version));
        assertThat(header.correlationId()).isEqualTo(42);
        ApiMessage response = api.newResponse();
        response.read(bytes, version);
        assertThat(frame.remaining()).isZero();
        return response;
    }
}
