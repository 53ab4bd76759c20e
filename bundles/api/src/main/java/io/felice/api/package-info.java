/** The words everything else shares: errors, batches, turns, and how changing state gets one writer at a time. */
@Export
@Version("1.0.0")
package io.felice.api;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
