package io.felice.itests.clients;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.concurrent.BlockingQueue;
import org.eclipse.paho.client.mqttv3.IMqttDeliveryToken;
import org.eclipse.paho.client.mqttv3.MqttCallback;
import org.eclipse.paho.client.mqttv3.MqttMessage;

/** Collects what a client gets that it has not subscribed to on this connection. */
record Collected(BlockingQueue<String> into) implements MqttCallback {
    @Override
    public void connectionLost(Throwable cause) {
        into.add("lost: " + cause);
    }

    @Override
    public void messageArrived(String topic, MqttMessage message) {
        into.add(topic + "=" + new String(message.getPayload(), UTF_8));
    }

    @Override
    public void deliveryComplete(IMqttDeliveryToken token) {}
}
