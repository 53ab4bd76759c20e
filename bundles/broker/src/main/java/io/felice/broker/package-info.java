/**
 * The partitions of this node: leader roles, high watermarks, producer state, retention, and the effective
 * configuration.
 */
package io.felice.broker;
