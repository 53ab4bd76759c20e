/** Numbers to look at: each bundle contributes tables; shell, console and metrics show whatever is registered. */
@Export
@Version("1.0.0")
package io.felice.api.status;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
