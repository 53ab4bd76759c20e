/** MQTT 3.1.1 and 5: messages are records of Kafka topics, sessions are consumer groups. */
package io.felice.wire.mqtt;
