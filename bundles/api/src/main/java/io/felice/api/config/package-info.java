/** The configuration of topics and brokers: names, types, defaults and layers, as in Kafka. */
@Export
@Version("1.0.0")
package io.felice.api.config;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
