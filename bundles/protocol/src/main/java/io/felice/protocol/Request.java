package io.felice.protocol;

import org.apache.kafka.common.protocol.ApiMessage;

/**
 * A parsed request; its byte buffers are slices of the frame.
 *
 * @param message the generated class of the API, e.g. {@code ProduceRequestData}
 * @param sizeInBytes of the frame, without its length field
 */
public record Request(
        short apiKey, short apiVersion, int correlationId, String clientId, ApiMessage message, int sizeInBytes) {}
