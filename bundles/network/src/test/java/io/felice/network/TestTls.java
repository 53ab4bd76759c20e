package io.felice.network;

import io.felice.protocol.Apis;
import io.felice.protocol.RequestContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** A node with a listener of the protocol SSL, and its clients. */
final class TestTls {
    private TestTls() {}

    /** @param settings are added, and win */
    static Map<String, Object> settings(TestCertificates.Key ofNode, Map<String, ?> settings) {
        Map<String, Object> all = new HashMap<>();
        all.put("listeners", new String[] {"SSL://127.0.0.1:0"});
        all.put("ssl_keystore_location", ofNode.p12().toString());
        all.put("ssl_keystore_password", TestCertificates.PASSWORD);
        all.putAll(settings);
        return all;
    }

    /** A node that answers Heartbeat. */
    static TestNode heartbeats(Map<String, ?> settings) {
        TestNode node = new TestNode(settings);
        node.bindNow(
                Apis.HEARTBEAT,
                0,
                4,
                (HeartbeatRequestData request, RequestContext context) -> new HeartbeatResponseData());
        return node;
    }

    /** A client whose handshake is done, as far as the client can know. */
    static TestClient connect(SSLContext client, String version, int port) throws IOException {
        SSLSocket socket = (SSLSocket) client.getSocketFactory().createSocket();
        socket.setEnabledProtocols(new String[] {version});
        TestClient connected = new TestClient(socket, port, 0);
        socket.startHandshake();
        return connected;
    }

    static void beat(TestClient client) throws IOException {
        client.ask(Apis.HEARTBEAT, 4, 1, heartbeat(), new HeartbeatResponseData());
    }

    static HeartbeatRequestData heartbeat() {
        return new HeartbeatRequestData().setGroupId("g").setMemberId("m");
    }

    static ProduceRequestData records(int bytes) {
        ProduceRequestData.TopicProduceData topic = new ProduceRequestData.TopicProduceData().setName("t");
        topic.setPartitionData(List.of(new ProduceRequestData.PartitionProduceData()
                .setRecords(MemoryRecords.readableRecords(ByteBuffer.allocate(bytes)))));
        ProduceRequestData request = new ProduceRequestData().setAcks((short) 1);
        request.topicData().add(topic);
        return request;
    }

    static void awaitNothingKept(TestNode node) {
        node.awaitNumber("network.connections", "SSL", "open", 0);
        node.awaitNumber("network.limits", "tls.bytes", "used", 0);
        node.awaitNumber("network.limits", "requests.bytes", "used", 0);
        node.awaitNumber("network.limits", "answers.bytes", "used", 0);
    }
}
