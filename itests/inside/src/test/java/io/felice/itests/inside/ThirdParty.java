package io.felice.itests.inside;

import io.felice.api.storage.StorageEngine;
import io.felice.storage.memory.MemoryStorageEngine;
import java.time.Clock;
import java.util.Hashtable;
import java.util.Map;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/**
 * What a third party's bundle does: it registers a storage engine, without Declarative Services and with no more than
 * Felice's API. See {@link ThirdPartyBundle}.
 */
public final class ThirdParty implements BundleActivator {
    /** What {@code storage.engine} of a topic says. */
    static final String ENGINE = "third-party";

    /** Outlives a stop of the bundle, as files would. */
    private static final StorageEngine LOGS = new MemoryStorageEngine(1 << 20, Clock.systemUTC());

    @Override
    public void start(BundleContext context) {
        context.registerService(StorageEngine.class, LOGS, new Hashtable<>(Map.of(StorageEngine.NAME, ENGINE)));
    }

    @Override
    public void stop(BundleContext context) {
        // The framework takes the service back.
    }
}
