/** Kafka's messages: frames to requests, responses to frames, and what a handler of a request is. No I/O. */
@Export
@Version("1.0.0")
package io.felice.protocol;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
