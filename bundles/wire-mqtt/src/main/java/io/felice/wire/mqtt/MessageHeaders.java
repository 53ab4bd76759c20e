package io.felice.wire.mqtt;

import static io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType.CONTENT_TYPE;
import static io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType.CORRELATION_DATA;
import static io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType.PAYLOAD_FORMAT_INDICATOR;
import static io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType.PUBLICATION_EXPIRY_INTERVAL;
import static io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType.RESPONSE_TOPIC;
import static io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType.USER_PROPERTY;

import io.felice.api.RecordHeader;
import io.netty.handler.codec.mqtt.MqttProperties;
import io.netty.handler.codec.mqtt.MqttProperties.MqttProperty;
import io.netty.handler.codec.mqtt.MqttProperties.MqttPropertyType;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The record headers of a message, and what MQTT clients get of them.
 *
 * <pre>
 *  mqtt.client            the id of the client that has published the message
 *  mqtt.qos               0 if the message was published with QoS 0; else there is no such header
 *  mqtt.retain            1 if the message was published as retained
 *  mqtt.content-type      text
 *  mqtt.response-topic    text
 *  mqtt.correlation-data  bytes
 *  mqtt.payload-format    1 if the payload is text in UTF-8
 *  mqtt.expires           when the message expires, in milliseconds since the epoch
 *  any other              a user property; mqtt.user.* if its own name begins with mqtt.
 * </pre>
 */
final class MessageHeaders {
    private static final String OURS = "mqtt.";
    private static final String USER = "mqtt.user.";
    private static final String CLIENT = "mqtt.client";
    private static final String QOS = "mqtt.qos";
    private static final String RETAIN = "mqtt.retain";
    private static final String TYPE = "mqtt.content-type";
    private static final String RESPONSE = "mqtt.response-topic";
    private static final String CORRELATION = "mqtt.correlation-data";
    private static final String FORMAT = "mqtt.payload-format";
    private static final String EXPIRES = "mqtt.expires";

    private static final int LONGEST_TEXT = 65_535;

    private MessageHeaders() {}

    /** @param now milliseconds since the epoch */
    static List<RecordHeader> of(MqttProperties properties, String clientId, int qos, boolean retained, long now) {
        List<RecordHeader> headers = new ArrayList<>();
        headers.add(text(CLIENT, clientId));
        if (qos == 0) {
            headers.add(text(QOS, "0"));
        }
        if (retained) {
            headers.add(text(RETAIN, "1"));
        }
        value(properties, CONTENT_TYPE, String.class).ifPresent(type -> headers.add(text(TYPE, type)));
        value(properties, RESPONSE_TOPIC, String.class).ifPresent(topic -> headers.add(text(RESPONSE, topic)));
        value(properties, CORRELATION_DATA, byte[].class)
                .ifPresent(data -> headers.add(new RecordHeader(CORRELATION, data)));
        value(properties, PAYLOAD_FORMAT_INDICATOR, Integer.class)
                .filter(format -> format == 1)
                .ifPresent(format -> headers.add(text(FORMAT, "1")));
        number(properties, PUBLICATION_EXPIRY_INTERVAL)
                .ifPresent(seconds -> headers.add(text(EXPIRES, Long.toString(now + seconds * 1000))));
        for (MqttProperty<?> property : properties.getProperties(USER_PROPERTY.value())) {
            MqttProperties.StringPair pair = (MqttProperties.StringPair) property.value();
            headers.add(text(pair.key.startsWith(OURS) ? USER + pair.key : pair.key, pair.value));
        }
        return headers;
    }

    private static RecordHeader text(String name, String value) {
        return new RecordHeader(name, value.getBytes(StandardCharsets.UTF_8));
    }

    private static <T> Optional<T> value(MqttProperties properties, MqttPropertyType type, Class<T> as) {
        MqttProperty<?> property = properties.getProperty(type.value());
        return property == null ? Optional.empty() : Optional.of(as.cast(property.value()));
    }

    /** A property that is an unsigned number. */
    static Optional<Long> number(MqttProperties properties, MqttPropertyType type) {
        return value(properties, type, Integer.class).map(Integer::toUnsignedLong);
    }

    /** The properties of a message for a client of MQTT 5. A header that is no text is left out. */
    static MqttProperties properties(List<RecordHeader> headers, List<Integer> subscriptions, long now) {
        MqttProperties properties = new MqttProperties();
        MqttProperties.UserProperties users = new MqttProperties.UserProperties();
        for (RecordHeader header : headers) {
            switch (header.name()) {
                case CLIENT, QOS, RETAIN -> {}
                case TYPE -> add(properties, CONTENT_TYPE, header);
                case RESPONSE -> add(properties, RESPONSE_TOPIC, header);
                case CORRELATION -> properties.add(
                        new MqttProperties.BinaryProperty(CORRELATION_DATA.value(), header.value()));
                case FORMAT -> properties.add(new MqttProperties.IntegerProperty(PAYLOAD_FORMAT_INDICATOR.value(), 1));
                case EXPIRES -> expiry(header)
                        .ifPresent(at -> properties.add(new MqttProperties.IntegerProperty(
                                PUBLICATION_EXPIRY_INTERVAL.value(), (int) Math.max(0, (at - now) / 1000))));
                default -> addUser(users, header);
            }
        }
        if (!users.value().isEmpty()) {
            properties.add(users);
        }
        for (int id : subscriptions) {
            properties.add(new MqttProperties.IntegerProperty(MqttPropertyType.SUBSCRIPTION_IDENTIFIER.value(), id));
        }
        return properties;
    }

    private static void add(MqttProperties properties, MqttPropertyType type, RecordHeader header) {
        text(header).ifPresent(text -> properties.add(new MqttProperties.StringProperty(type.value(), text)));
    }

    private static void addUser(MqttProperties.UserProperties users, RecordHeader header) {
        String name = header.name().startsWith(USER) ? header.name().substring(USER.length()) : header.name();
        if (name.length() <= LONGEST_TEXT / 3 && name.indexOf('\0') < 0) {
            text(header).ifPresent(text -> users.add(name, text));
        }
    }

    private static Optional<String> text(RecordHeader header) {
        if (header.value() == null || header.value().length > LONGEST_TEXT) {
            return Optional.empty();
        }
        try {
            return Optional.of(StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(header.value()))
                            .toString())
                    .filter(text -> text.indexOf('\0') < 0);
        } catch (CharacterCodingException noText) {
            return Optional.empty();
        }
    }

    /** The QoS with which a message was published; 1 for a record of a Kafka producer. */
    static int qos(List<RecordHeader> headers) {
        return find(headers, QOS).filter("0"::equals).isPresent() ? 0 : 1;
    }

    static boolean isRetained(List<RecordHeader> headers) {
        return find(headers, RETAIN).isPresent();
    }

    /** The client that has published the message; empty for a record of a Kafka producer. */
    static Optional<String> client(List<RecordHeader> headers) {
        return find(headers, CLIENT);
    }

    static boolean isExpired(List<RecordHeader> headers, long now) {
        return headers.stream()
                .filter(header -> header.name().equals(EXPIRES))
                .findFirst()
                .flatMap(MessageHeaders::expiry)
                .filter(at -> at <= now)
                .isPresent();
    }

    private static Optional<Long> expiry(RecordHeader header) {
        try {
            return text(header).map(Long::parseLong);
        } catch (NumberFormatException noNumber) {
            return Optional.empty();
        }
    }

    private static Optional<String> find(List<RecordHeader> headers, String name) {
        return headers.stream()
                .filter(header -> header.name().equals(name))
                .findFirst()
                .flatMap(MessageHeaders::text);
    }
}
