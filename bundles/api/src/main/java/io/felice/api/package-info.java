/**
 * Types that all bundles use: error codes, record batches, turns of I/O threads, and the executor for state with one
 * writer.
 */
@Export
@Version("1.0.0")
package io.felice.api;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
