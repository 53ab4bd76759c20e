/** The embedded ZooKeeper server of a node; the library it runs on is exported by the same bundle. */
@Export(substitution = Export.Substitution.NOIMPORT)
@Version("1.0.0")
package io.felice.zookeeper;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
