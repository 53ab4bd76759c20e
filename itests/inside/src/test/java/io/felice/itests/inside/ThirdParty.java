package io.felice.itests.inside;

import io.felice.api.storage.StorageEngine;
import io.felice.storage.memory.MemoryStorageEngine;
import java.time.Clock;
import java.util.Hashtable;
import java.util.Map;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/**
 * The activator of a third party's bundle. It registers a storage engine without Declarative Services, and uses only
 * Felice's API. See {@link ThirdPartyBundle}.
 */
public final class ThirdParty implements BundleActivator {
    /** The value of the topic config {@code storage.engine}. */
    static final String ENGINE = "third-party";

    /** The logs survive a stop of the bundle, as files would. */
    private static final StorageEngine LOGS = new MemoryStorageEngine(1 << 20, Clock.systemUTC());

    @Override
    public void start(BundleContext context) {
        context.registerService(StorageEngine.class, LOGS, new Hashtable<>(Map.of(StorageEngine.NAME, ENGINE)));
    }

    @Override
    public void stop(BundleContext context) {
        // The framework unregisters the service.
    }
}
