package io.felice.protocol;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The APIs for which this node has handlers, with their versions, for the ApiVersions response (KIP-35). Any thread.
 */
@ProviderType
public interface ServedApis {
    /** The APIs in the order of their keys. An API stays in the list while its handler's bundle is being updated. */
    List<Range> ranges();

    /** Versions {@code from} to {@code to} of an API. */
    record Range(short key, short from, short to) {}
}
