package io.felice.itests.container;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.InitProducerIdResponse;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;

/**
 * An idempotent producer that can send its last batch again, as a real one does when an answer was lost. A broker that
 * remembers the producer answers with the offset of the first time.
 */
final class IdempotentBatches {
    private static final short INIT_PRODUCER_ID_VERSION = 4;
    private static final short PRODUCE_VERSION = 9;
    private static final int PATIENCE_MS = 30_000;

    private final String host;
    private final int port;
    private final String topic;
    private long producerId = -1;
    private short epoch;
    private int sequence = -1;
    private long offset;
    private int correlation;

    IdempotentBatches(String bootstrap, String topic) {
        int colon = bootstrap.lastIndexOf(':');
        this.host = bootstrap.substring(0, colon);
        this.port = Integer.parseInt(bootstrap.substring(colon + 1));
        this.topic = topic;
    }

    /** Sends the next batch, of one record, to partition 0. */
    void next() throws IOException {
        if (producerId < 0) {
            InitProducerIdResponseData id = ((InitProducerIdResponse) ask(
                            ApiKeys.INIT_PRODUCER_ID,
                            INIT_PRODUCER_ID_VERSION,
                            new InitProducerIdRequestData()
                                    .setTransactionalId(null)
                                    .setTransactionTimeoutMs(PATIENCE_MS)))
                    .data();
            producerId = id.producerId();
            epoch = id.producerEpoch();
        }
        sequence++;
        offset = send();
    }

    /** Sends the last batch again; fails if the broker does not know it. */
    void again() throws IOException {
        long now = send();
        if (now != offset) {
            throw new AssertionError("batch " + sequence + " of producer " + producerId + " has offset " + now
                    + " when it is sent again, and had " + offset);
        }
    }

    private long send() throws IOException {
        SimpleRecord record =
                new SimpleRecord(0, null, Integer.toString(sequence).getBytes(UTF_8));
        MemoryRecords batch =
                MemoryRecords.withIdempotentRecords(Compression.NONE, producerId, epoch, sequence, record);
        TopicProduceData data = new TopicProduceData()
                .setName(topic)
                .setPartitionData(List.of(new PartitionProduceData().setRecords(batch)));
        ProduceRequestData request = new ProduceRequestData()
                .setAcks((short) -1)
                .setTimeoutMs(PATIENCE_MS)
                .setTopicData(new TopicProduceDataCollection(List.of(data).iterator()));
        ProduceResponse response = (ProduceResponse) ask(ApiKeys.PRODUCE, PRODUCE_VERSION, request);
        PartitionProduceResponse answer = response.data()
                .responses()
                .iterator()
                .next()
                .partitionResponses()
                .get(0);
        if (answer.errorCode() != Errors.NONE.code()) {
            throw new AssertionError(
                    "batch " + sequence + ": " + Errors.forCode(answer.errorCode()) + " " + answer.errorMessage());
        }
        return answer.baseOffset();
    }

    private AbstractResponse ask(ApiKeys key, short version, ApiMessage request) throws IOException {
        RequestHeader header = new RequestHeader(key, version, "idempotent", ++correlation);
        ByteBuffer bytes = RequestUtils.serialize(header.data(), header.headerVersion(), request, version);
        try (Socket socket = new Socket(host, port)) {
            socket.setSoTimeout(PATIENCE_MS);
            ByteBuffer frame = ByteBuffer.allocate(4 + bytes.remaining())
                    .putInt(bytes.remaining())
                    .put(bytes);
            socket.getOutputStream().write(frame.array());
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] answer = new byte[in.readInt()];
            in.readFully(answer);
            return AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
        }
    }
}
