package io.felice.wire.mqtt;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.BrokerRegistration;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.api.cluster.PartitionState;
import io.felice.api.config.Configs;
import io.felice.api.group.Groups;
import io.felice.api.partition.Partitions;
import io.felice.api.security.Authentication;
import io.felice.api.security.Authorization;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** A wire whose clients need no topic, and packets for it. */
final class MqttFakes {
    private static final int BROKER = 1;

    private MqttFakes() {}

    static MqttWire wire() {
        return new MqttWire(
                fake(Partitions.class, Map.of()),
                fake(Groups.class, Map.of()),
                fake(ClusterMetadata.class, Map.of("view", view(), "brokerId", BROKER)),
                fake(Admin.class, Map.of()),
                fake(Configs.class, Map.of()),
                fake(Authentication.class, Map.of()),
                fake(Authorization.class, Map.of("isEnforced", false)),
                fake(MqttWire.Config.class, Map.of()));
    }

    static ClusterView view(String... topics) {
        BrokerRegistration broker =
                new BrokerRegistration(BROKER, UUID.randomUUID(), UUID.randomUUID(), List.of(), null);
        List<MetadataRecord> records = new ArrayList<>();
        records.add(new MetadataRecord.BrokerRegistered(broker, 1));
        for (String topic : topics) {
            UUID id = UUID.randomUUID();
            records.add(new MetadataRecord.TopicCreated(id, topic));
            records.add(new MetadataRecord.PartitionChanged(
                    id,
                    0,
                    new PartitionState(List.of(BROKER), List.of(BROKER), List.of(), List.of(), BROKER, 0, 0, false)));
        }
        return ClusterView.EMPTY.after(1, records);
    }

    /** Returns these values by the names of methods; defaults of a configuration; otherwise fails. */
    static <T> T fake(Class<T> type, Map<String, Object> values) {
        return type.cast(
                Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    Object value = values.getOrDefault(method.getName(), method.getDefaultValue());
                    if (value == null) {
                        throw new UnsupportedOperationException(method.toString());
                    }
                    return value;
                }));
    }

    /** CONNECT of MQTT 3.1.1 for a clean session without a client id. */
    static byte[] connect() {
        ByteBuffer body = ByteBuffer.allocate(12);
        body.putShort((short) 4).put("MQTT".getBytes(UTF_8)).put((byte) 4).put((byte) 2);
        body.putShort((short) 60).putShort((short) 0);
        return packet(0x10, body.array());
    }

    static byte[] packet(int type, byte[] body) {
        ByteBuffer packet = ByteBuffer.allocate(3 + body.length).put((byte) type);
        if (body.length < 128) {
            packet.put((byte) body.length);
        } else {
            packet.put((byte) (body.length % 128 | 0x80)).put((byte) (body.length / 128));
        }
        packet.put(body).flip();
        byte[] bytes = new byte[packet.remaining()];
        packet.get(bytes);
        return bytes;
    }
}
