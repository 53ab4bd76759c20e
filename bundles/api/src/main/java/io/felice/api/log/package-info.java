/** The levels of a node's loggers, for those who change them from outside. */
@Export
@Version("1.0.0")
package io.felice.api.log;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
