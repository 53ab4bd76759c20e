package io.felice.coordinator;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * The topics in a subscription of the protocol type {@code consumer}, whose metadata begins, in every version, with
 * version int16 and an array of topics. It comes from clients, so nothing in it is believed; other protocol types are
 * never looked into.
 */
final class ConsumerSubscription {
    static final String PROTOCOL_TYPE = "consumer";

    private ConsumerSubscription() {}

    /** Empty if the bytes are no subscription. */
    static Optional<Set<String>> topics(byte[] metadata) {
        ByteBuffer in = ByteBuffer.wrap(metadata);
        if (in.remaining() < Short.BYTES + Integer.BYTES || in.getShort() < 0) {
            return Optional.empty();
        }
        int count = in.getInt();
        if (count < 0 || count > in.remaining() / Short.BYTES) {
            return Optional.empty();
        }
        Set<String> topics = new HashSet<>();
        for (int i = 0; i < count; i++) {
            int length = in.remaining() < Short.BYTES ? -1 : in.getShort();
            if (length < 0 || length > in.remaining()) {
                return Optional.empty();
            }
            topics.add(new String(metadata, in.position(), length, UTF_8));
            in.position(in.position() + length);
        }
        return Optional.of(topics);
    }
}
