/** Consumer groups and their committed offsets: state machines replayed from the log of {@code __consumer_offsets}. */
package io.felice.coordinator;
