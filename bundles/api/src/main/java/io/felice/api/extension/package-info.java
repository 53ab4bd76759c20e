/**
 * How bundles of Felice use the services of plugins: by name, on threads of the plugin, within time limits. A plugin needs
 * nothing of this package.
 */
@Export
@Version("1.0.0")
package io.felice.api.extension;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
