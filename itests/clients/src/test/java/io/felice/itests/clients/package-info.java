/** Real Kafka clients and Kafka's own tools against a node. */
package io.felice.itests.clients;
