/** Extension point: a consumer inside of the node. */
@Export
@Version("1.0.0")
package io.felice.api.listener;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
