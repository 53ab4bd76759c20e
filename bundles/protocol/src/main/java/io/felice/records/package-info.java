/** Checks, reads, builds, filters and stamps record batches, with the compression codecs of kafka-clients. */
@Export
@Version("1.0.0")
package io.felice.records;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
