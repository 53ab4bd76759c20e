/** The cluster's truth: metadata records, the view they replay into, the store that keeps them and the controller that writes them. */
@Export
@Version("1.0.0")
package io.felice.api.cluster;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
