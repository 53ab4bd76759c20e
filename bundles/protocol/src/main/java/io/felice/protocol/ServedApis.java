package io.felice.protocol;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** What this node serves, computed from the handlers that are registered; what ApiVersions tells. Any thread. */
@ProviderType
public interface ServedApis {
    /** In order of keys. An API whose handler is away for the moment (its bundle is being updated) stays in the list. */
    List<Range> ranges();

    /** Versions {@code from} to {@code to} of an API. */
    record Range(short key, short from, short to) {}
}
