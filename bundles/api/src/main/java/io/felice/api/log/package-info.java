/** The levels of a node's loggers, which Kafka's tools can read and change. */
@Export
@Version("1.0.0")
package io.felice.api.log;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
