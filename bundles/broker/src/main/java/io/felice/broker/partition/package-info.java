/** One partition on this node: its opened log, the role over it, and what is derived from its records. */
package io.felice.broker.partition;
