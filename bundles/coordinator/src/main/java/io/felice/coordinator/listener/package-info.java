/** Runs the record listeners of plugins as members of consumer groups. */
package io.felice.coordinator.listener;
