/** Consumer groups of the classic protocol and their committed offsets. */
@Export
@Version("1.0.0")
package io.felice.api.group;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
