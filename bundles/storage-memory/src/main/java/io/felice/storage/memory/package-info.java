/** A storage engine on the heap, for tests and ephemeral topics. It is the smallest example of an engine. */
package io.felice.storage.memory;
