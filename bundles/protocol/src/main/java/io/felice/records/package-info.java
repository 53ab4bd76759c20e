/** Record batches: checking, walking, building and restamping them; the codecs of kafka-clients behind it. */
@Export
@Version("1.0.0")
package io.felice.records;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
