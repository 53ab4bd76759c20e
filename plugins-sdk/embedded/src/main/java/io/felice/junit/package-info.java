/** A node inside the JVM of a test, as a JUnit 5 extension. */
package io.felice.junit;
