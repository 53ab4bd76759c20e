package io.felice.coordinator;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Reads the topics from the metadata of a member whose protocol type is {@code consumer}. In every version the metadata
 * begins with the version (int16) and an array of topics. The bytes come from clients, so that every length is checked.
 */
final class ConsumerSubscription {
    static final String PROTOCOL_TYPE = "consumer";

    private ConsumerSubscription() {}

    /** Empty if the bytes cannot be read as a subscription. */
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
