package io.felice.console.access;

import java.security.SecureRandom;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;

/**
 * What sessions need for as long as the process runs: an update of the console's bundle logs nobody out, a restart of the
 * node logs everybody out. The state is a service of the framework with classes of the JDK only.
 *
 * @param key the secret that signs cookies
 * @param ended the ids of sessions that were ended, each with the time until which it is remembered
 */
public record SessionState(byte[] key, Map<String, Long> ended) {
    private static final int KEY_BYTES = 32;
    private static final String NAME = "felice.kept";
    private static final String SESSIONS = "console.sessions";
    private static final String KEY = "key";
    private static final String ENDED = "ended";

    public static SessionState fresh() {
        byte[] key = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(key);
        return new SessionState(key, new ConcurrentHashMap<>());
    }

    /** The state of this process. */
    @SuppressWarnings("unchecked")
    static SessionState of(Map<String, Object> kept) {
        return new SessionState((byte[]) kept.get(KEY), (Map<String, Long>) kept.get(ENDED));
    }

    @SuppressWarnings("unchecked")
    public static SessionState ofProcess(BundleContext context) {
        BundleContext framework =
                context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).getBundleContext();
        for (ServiceReference<?> kept : registered(framework)) {
            if (framework.getService(kept) instanceof Map<?, ?> state) {
                return of((Map<String, Object>) state);
            }
        }
        SessionState fresh = fresh();
        framework.registerService(
                Map.class,
                Map.of(KEY, fresh.key(), ENDED, fresh.ended()),
                FrameworkUtil.asDictionary(Map.of(NAME, SESSIONS)));
        return fresh;
    }

    @SuppressWarnings("rawtypes")
    private static Collection<ServiceReference<Map>> registered(BundleContext framework) {
        try {
            return framework.getServiceReferences(Map.class, "(" + NAME + "=" + SESSIONS + ")");
        } catch (InvalidSyntaxException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    @Override
    public String toString() {
        return "the key of sessions, and " + ended.size() + " that have ended";
    }
}
