package io.felice.wire.mqtt;

import io.felice.api.RecordHeader;
import java.util.List;

/**
 * A message of MQTT, as it was published.
 *
 * @param topic the MQTT topic
 * @param qos 0 or 1
 * @param headers those of the record; see {@link MessageHeaders}
 */
record Publication(String topic, byte[] payload, int qos, boolean isRetained, List<RecordHeader> headers) {
    Publication {
        headers = List.copyOf(headers);
    }
}
