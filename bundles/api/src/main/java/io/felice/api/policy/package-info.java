/** Extension point: rules of an organisation that Felice asks before it changes something. */
@Export
@Version("1.1.0")
package io.felice.api.policy;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
