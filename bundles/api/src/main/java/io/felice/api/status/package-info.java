/** What a bundle says of itself: tables of numbers, and whether it serves. The shell shows whatever is registered. */
@Export
@Version("1.0.0")
package io.felice.api.status;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
