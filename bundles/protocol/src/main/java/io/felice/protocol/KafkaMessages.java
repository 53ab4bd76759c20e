package io.felice.protocol;

import io.felice.api.ErrorCode;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageSizeAccumulator;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.requests.AbstractRequest;

/** Parses requests and encodes responses with the message classes of kafka-clients. Stateless; any thread. */
public final class KafkaMessages {
    private static final int MIN_HEADER_BYTES = 8;

    private KafkaMessages() {}

    /**
     * The API key in the header of a frame.
     *
     * @throws MalformedRequest if the frame is too short for a header
     */
    public static short apiKeyOf(ByteBuffer frame) {
        if (frame.remaining() < MIN_HEADER_BYTES) {
            throw new MalformedRequest("A request of " + frame.remaining() + " bytes has no header");
        }
        return frame.getShort(frame.position());
    }

    /** The API version in the header of a frame that {@link #apiKeyOf} accepts. */
    public static short apiVersionOf(ByteBuffer frame) {
        return frame.getShort(frame.position() + Short.BYTES);
    }

    /** The correlation id in the header of a frame that {@link #apiKeyOf} accepts. */
    public static int correlationIdOf(ByteBuffer frame) {
        return frame.getInt(frame.position() + Integer.BYTES);
    }

    /**
     * Parses a frame, from position to limit, without its length field. Ignores bytes after the end of the request, as
     * Kafka does, because librdkafka sends three of them after a Metadata request for all topics. The message classes
     * refuse an array of more than 1,000,000 elements, and more than 10,000 tagged fields, before they allocate memory
     * for them.
     *
     * @throws MalformedRequest if the frame is no request of a known API and version, or its parsing takes too long
     */
    public static Request parse(ByteBuffer frame) {
        int size = frame.remaining();
        ApiMessageType api = api(apiKeyOf(frame));
        short version = apiVersionOf(frame);
        if (version < api.lowestSupportedVersion() || version > api.highestSupportedVersion(true)) {
            throw new MalformedRequest(api.name + " has no version " + version);
        }
        try {
            FrameBytes bytes = new FrameBytes(frame.slice());
            RequestHeaderData header = new RequestHeaderData(bytes, api.requestHeaderVersion(version));
            ApiMessage message = api.newRequest();
            message.read(bytes, version);
            String clientId = header.clientId() == null ? "" : header.clientId();
            return new Request(api.apiKey(), version, header.correlationId(), clientId, message, size);
        } catch (MalformedRequest malformed) {
            throw malformed;
        } catch (BufferUnderflowException truncated) {
            throw new MalformedRequest(api.name + " v" + version + " ends too early");
        } catch (RuntimeException malformed) {
            throw new MalformedRequest(api.name + " v" + version + ": " + malformed.getMessage());
        }
    }

    /** The frame of a response, with its length field and header. The caller closes the frame. */
    public static ResponseFrame encode(short apiKey, short version, int correlationId, ApiMessage response) {
        ApiMessageType api = api(apiKey);
        short headerVersion = api.responseHeaderVersion(version);
        ResponseHeaderData header = new ResponseHeaderData().setCorrelationId(correlationId);
        ObjectSerializationCache strings = new ObjectSerializationCache();
        MessageSizeAccumulator size = new MessageSizeAccumulator();
        header.addSize(size, strings, headerVersion);
        response.addSize(size, strings, version);
        int plainBytes = Integer.BYTES + size.sizeExcludingZeroCopy() + Sizes.copied(response);
        ResponseFrame.Collector collector = new ResponseFrame.Collector(plainBytes);
        collector.writeInt(0);
        header.write(collector, strings, headerVersion);
        response.write(collector, strings, version);
        return collector.frame();
    }

    /** The frame of bytes that have a length field and no header: a message of SASL after SaslHandshake v0. */
    public static ResponseFrame encodeRaw(byte[] bytes) {
        ResponseFrame.Collector collector = new ResponseFrame.Collector(Integer.BYTES + bytes.length);
        collector.writeInt(0);
        collector.writeByteArray(bytes);
        return collector.frame();
    }

    /**
     * The response to a request that failed as a whole, in the API's own form; null if the API has no such response.
     */
    public static ApiMessage failure(Request request, ErrorCode error, String message) {
        AbstractRequest typed = typed(request);
        var response = typed.getErrorResponse(0, Errors.forCode(error.code()).exception(message));
        return response == null ? null : response.data();
    }

    private static AbstractRequest typed(Request request) {
        ByteBuffer bytes = MessageUtil.toByteBufferAccessor(request.message(), request.apiVersion())
                .buffer();
        return AbstractRequest.parseRequest(
                        ApiKeys.forId(request.apiKey()), request.apiVersion(), new ByteBufferAccessor(bytes))
                .request;
    }

    private static ApiMessageType api(short key) {
        try {
            return ApiMessageType.fromApiKey(key);
        } catch (RuntimeException unknown) {
            throw new MalformedRequest("There is no API with key " + key);
        }
    }
}
