/** The partitions of this node: appends, fetches, offsets, deletion of records, and stray logs. */
@Export
@Version("1.0.0")
package io.felice.api.partition;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
