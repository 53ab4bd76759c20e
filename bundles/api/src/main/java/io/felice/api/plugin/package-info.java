/**
 * The plugins of a node: the jars and archives in its directory {@code plugins/}, what they provide, and how they are
 * installed, upgraded and removed while the node runs. The shell and the console use it; plugins do not.
 */
@Export
@Version("1.0.0")
package io.felice.api.plugin;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
