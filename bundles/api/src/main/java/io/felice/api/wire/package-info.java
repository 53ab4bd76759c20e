/** Other wires than Kafka's: protocols that a plugin speaks on listeners of their own. */
@Export
@Version("1.0.0")
package io.felice.api.wire;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
