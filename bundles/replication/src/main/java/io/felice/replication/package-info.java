/**
 * The connections of this broker to the other brokers: fetches the partitions that this broker follows, and forwards
 * requests to the broker that is the controller.
 */
package io.felice.replication;
