/** The status of a bundle: tables of numbers, and the reasons why it does not serve. The shell shows all of them. */
@Export
@Version("1.0.0")
package io.felice.api.status;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
