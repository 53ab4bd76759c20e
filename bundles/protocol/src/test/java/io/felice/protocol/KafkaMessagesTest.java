package io.felice.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.storage.Records;
import io.felice.records.BatchBuilder;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;
import org.apache.kafka.common.requests.ResponseHeader;
import org.junit.jupiter.api.Test;

/** Requests that kafka-clients has encoded are parsed, and kafka-clients reads the encoded responses. */
class KafkaMessagesTest {
    private static final short VERSION = 12;

    @Test
    void aRequestWrittenByKafkaClientsIsParsed() {
        ByteBuffer frame = metadataRequest();

        Request request = KafkaMessages.parse(frame);

        assertThat(request.apiKey()).isEqualTo(Apis.METADATA);
        assertThat(request.apiVersion()).isEqualTo(VERSION);
        assertThat(request.correlationId()).isEqualTo(99);
        assertThat(request.clientId()).isEqualTo("tester");
        assertThat(((MetadataRequestData) request.message()).topics()).hasSize(1);
    }

    @Test
    void aRequestCutOffAtAnyByteIsMalformed() {
        ByteBuffer frame = metadataRequest();

        for (int length = 0; length < frame.limit(); length++) {
            ByteBuffer cut = frame.slice(0, length);
            assertThatThrownBy(() -> KafkaMessages.parse(cut)).isInstanceOf(MalformedRequest.class);
        }
    }

    @Test
    void bytesAfterTheEndOfARequestAreIgnored() {
        ByteBuffer frame = metadataRequest();
        ByteBuffer longer = ByteBuffer.allocate(frame.limit() + 4)
                .put(frame.duplicate())
                .putInt(-1)
                .flip();

        Request request = KafkaMessages.parse(longer);

        assertThat(request.message()).isEqualTo(KafkaMessages.parse(frame).message());
        assertThat(request.sizeInBytes()).isEqualTo(frame.limit() + 4);
    }

    @Test
    void aRequestOfManyElementsWithDifferentHashesIsParsed() {
        ProduceRequestData many = new ProduceRequestData();
        for (int i = 0; i < 50_000; i++) {
            many.topicData().add(new ProduceRequestData.TopicProduceData().setName("topic-" + i));
        }
        RequestHeader header = new RequestHeader(ApiKeys.PRODUCE, (short) 9, "tester", 99);
        ByteBuffer frame = RequestUtils.serialize(header.data(), header.headerVersion(), many, (short) 9);

        ProduceRequestData read =
                (ProduceRequestData) KafkaMessages.parse(frame).message();

        assertThat(read.topicData()).hasSize(50_000);
    }

    @Test
    void anUnknownKeyOrVersionIsMalformed() {
        ByteBuffer unknownKey = metadataRequest().putShort(0, (short) 9_999);
        ByteBuffer unknownVersion = metadataRequest().putShort(2, (short) 9_999);

        assertThatThrownBy(() -> KafkaMessages.parse(unknownKey)).isInstanceOf(MalformedRequest.class);
        assertThatThrownBy(() -> KafkaMessages.parse(unknownVersion)).isInstanceOf(MalformedRequest.class);
    }

    @Test
    void aFetchResponseCopiesSmallRecordsAndSendsLargeOnesWithoutACopy() {
        AtomicInteger released = new AtomicInteger();
        ByteBuffer small =
                new BatchBuilder().add(1L, null, new byte[100]).build().bytes();
        ByteBuffer large =
                new BatchBuilder().add(1L, null, new byte[100_000]).build().bytes();
        FetchResponseData response = new FetchResponseData()
                .setResponses(List.of(new FetchResponseData.FetchableTopicResponse()
                        .setTopicId(Uuid.randomUuid())
                        .setPartitions(List.of(
                                partition(0, new Records.InMemory(List.of(small), 1, released::incrementAndGet)),
                                partition(1, new Records.InMemory(List.of(large), 1, released::incrementAndGet))))));

        ResponseFrame frame = KafkaMessages.encode(Apis.FETCH, (short) 17, 5, response);

        List<ByteBuffer> parts = new ArrayList<>();
        frame.parts().forEach(part -> parts.add((ByteBuffer) part));
        assertThat(parts).hasSize(3);
        assertThat(parts.get(1).remaining()).isEqualTo(large.remaining());
        ByteBuffer whole = joined(parts);
        assertThat(whole.getInt()).isEqualTo(whole.limit() - Integer.BYTES);
        assertThat(ResponseHeader.parse(whole, (short) 1).correlationId()).isEqualTo(5);
        FetchResponseData read = new FetchResponseData(new ByteBufferAccessor(whole), (short) 17);
        var partitions = read.responses().get(0).partitions();
        assertThat(((MemoryRecords) partitions.get(0).records()).buffer()).isEqualTo(small);
        assertThat(((MemoryRecords) partitions.get(1).records()).buffer()).isEqualTo(large);
        assertThat(released).hasValue(0);
        frame.close();
        frame.close();
        assertThat(released).hasValue(2);
    }

    @Test
    void theResponseToAFailedRequestIsInTheFormOfItsApi() {
        MetadataResponseData failure = (MetadataResponseData)
                KafkaMessages.failure(KafkaMessages.parse(metadataRequest()), ErrorCode.LEADER_NOT_AVAILABLE, "wait");

        assertThat(failure.topics().find("orders").errorCode()).isEqualTo(ErrorCode.LEADER_NOT_AVAILABLE.code());
    }

    private static FetchResponseData.PartitionData partition(int index, Records records) {
        return new FetchResponseData.PartitionData().setPartitionIndex(index).setRecords(new PinnedRecords(records));
    }

    private static ByteBuffer metadataRequest() {
        RequestHeader header = new RequestHeader(ApiKeys.METADATA, VERSION, "tester", 99);
        MetadataRequestData data = new MetadataRequestData()
                .setTopics(List.of(new MetadataRequestData.MetadataRequestTopic().setName("orders")));
        return RequestUtils.serialize(header.data(), header.headerVersion(), data, VERSION);
    }

    private static ByteBuffer joined(List<ByteBuffer> parts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (ByteBuffer part : parts) {
            byte[] copy = new byte[part.remaining()];
            part.duplicate().get(copy);
            bytes.writeBytes(copy);
        }
        return ByteBuffer.wrap(bytes.toByteArray());
    }
}
