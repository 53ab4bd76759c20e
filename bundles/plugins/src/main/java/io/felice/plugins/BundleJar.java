package io.felice.plugins;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;

/**
 * A jar that was read completely.
 *
 * @param file where its bytes are
 * @param headers the main attributes of its manifest
 * @param ownApi its class files below {@code io/felice/api}, also in jars inside of it
 * @param requiredKeys the keys without a default, by the PID of the configuration
 * @param signer who signed every class of it; {@link Signer#NOBODY} if nobody did
 */
record BundleJar(
        Path file,
        Map<String, String> headers,
        List<ComponentFile> components,
        Map<String, List<String>> requiredKeys,
        List<String> ownApi,
        Signer signer) {

    /** Empty if the jar is no bundle. */
    String symbolicName() {
        return Header.name(headers.get(Constants.BUNDLE_SYMBOLICNAME));
    }

    boolean isBundle() {
        return !symbolicName().isEmpty();
    }

    Version version() {
        String version = headers.get(Constants.BUNDLE_VERSION);
        return version == null ? Version.emptyVersion : Version.parseVersion(version);
    }

    /** The symbolic name of the bundle that it is a fragment of; empty if it is none. */
    String host() {
        return Header.name(headers.get(Constants.FRAGMENT_HOST));
    }

    boolean providesExtensions() {
        return components.stream().anyMatch(component -> !component.provides().isEmpty());
    }
}
