/** What a storage engine implements: logs of opaque batches, kept in order and recovered to the last whole one. */
@Export
@Version("1.0.0")
package io.felice.api.storage;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
