/** Logs on the heap: for tests and ephemeral topics, and the smallest engine to learn from. */
package io.felice.storage.memory;
