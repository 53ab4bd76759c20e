/** The partitions of this node: append, fetch, offsets, trimming. */
@Export
@Version("1.0.0")
package io.felice.api.partition;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
