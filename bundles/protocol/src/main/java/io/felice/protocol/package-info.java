/** Kafka's messages: parses requests, encodes responses, and defines the handlers of requests. No I/O. */
@Export
@Version("1.0.0")
package io.felice.protocol;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
