/** What integration tests share: nodes in processes of their own, Kafka's clients and tools, and the history checker. */
package io.felice.itests.rig;
