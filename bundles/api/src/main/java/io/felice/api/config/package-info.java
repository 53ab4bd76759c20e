/** Names, types, defaults and layers of the configuration of topics and brokers, as Kafka has them. */
@Export
@Version("1.0.0")
package io.felice.api.config;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
