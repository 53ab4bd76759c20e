/**
 * The metadata of the cluster: its records, the store that keeps them in a log, the view that is built from them, and
 * the controller that decides what is written.
 */
@Export
@Version("1.1.0")
package io.felice.api.cluster;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
