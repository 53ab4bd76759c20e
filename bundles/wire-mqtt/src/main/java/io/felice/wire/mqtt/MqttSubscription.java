package io.felice.wire.mqtt;

/**
 * A subscription of a session.
 *
 * @param qos the granted QoS, 0 or 1
 * @param isNoLocal true if the client does not want what it has published itself
 * @param keepsRetain true if messages keep the flag with which they were published
 * @param identifier 0 if the client has given none
 */
record MqttSubscription(TopicFilter filter, int qos, boolean isNoLocal, boolean keepsRetain, int identifier) {}
