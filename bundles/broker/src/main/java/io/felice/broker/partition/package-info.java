/** One partition on this node: its opened log, the replica's role, and the state that is replayed from the records. */
package io.felice.broker.partition;
