package io.felice.wire.mqtt;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.mqtt.MqttDecoder;
import io.netty.handler.codec.mqtt.MqttEncoder;
import io.netty.handler.codec.mqtt.MqttMessage;
import java.nio.ByteBuffer;

/** Netty's codec of MQTT, for one connection: it remembers the version of the protocol. One thread at a time. */
final class MqttCodec {
    private static final int LONGEST_LENGTH_FIELD = 4;
    private static final int LAST_SEVEN_BITS = 0x7f;
    private static final UnpooledByteBufAllocator HEAP = new UnpooledByteBufAllocator(false, true);

    private final EmbeddedChannel channel;

    MqttCodec(int longestPacket, int longestClientId) {
        channel = new EmbeddedChannel(new MqttDecoder(longestPacket, longestClientId), MqttEncoder.INSTANCE);
        channel.config().setAllocator(HEAP);
    }

    /**
     * The length of the packet that begins here: {@code type and flags: int8 | rest: 1 to 4 bytes of 7 bits | rest}.
     *
     * @return 0 if the length is not received yet
     */
    static int lengthOf(ByteBuffer bytes) {
        int at = bytes.position() + 1;
        int length = 0;
        for (int i = 0; i < LONGEST_LENGTH_FIELD; i++) {
            if (at + i >= bytes.limit()) {
                return 0;
            }
            byte next = bytes.get(at + i);
            length |= (next & LAST_SEVEN_BITS) << (7 * i);
            if (next >= 0) {
                return 1 + i + 1 + length;
            }
        }
        throw new IllegalArgumentException("the length of an MQTT packet has more than 4 bytes");
    }

    /**
     * The packet in these bytes. Its {@code decoderResult} says if it is malformed. A payload refers to the bytes; the
     * caller releases it.
     *
     * @throws IllegalArgumentException if the bytes are not exactly one packet
     */
    MqttMessage decode(ByteBuffer frame) {
        channel.writeInbound(Unpooled.wrappedBuffer(frame));
        MqttMessage packet = channel.readInbound();
        if (packet == null || channel.inboundMessages().peek() != null) {
            throw new IllegalArgumentException("an MQTT packet whose length is wrong");
        }
        return packet;
    }

    ByteBuffer encode(MqttMessage packet) {
        channel.writeOutbound(packet);
        ByteBuf bytes = channel.readOutbound();
        return bytes.nioBuffer();
    }

    void close() {
        channel.finishAndReleaseAll();
    }
}
