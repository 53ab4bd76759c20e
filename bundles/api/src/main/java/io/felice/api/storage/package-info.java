/** The interfaces that a storage engine implements. An engine keeps logs of batches in order of their offsets. */
@Export
@Version("1.1.0")
package io.felice.api.storage;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
