/** The partitions of this node: leader roles, high watermark, producer state, retention, and the configuration in force. */
package io.felice.broker;
