package io.felice.config;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;

/**
 * State that survives an update of this bundle and a refresh of the bundle api, but not a restart of the process. The
 * state is a service of the framework. It has only classes of the JDK, because an update replaces the classes of a
 * bundle.
 */
final class Kept {
    private static final String NAME = "felice.kept";
    private static final String LAST_GOOD = "last.good.configuration";

    private Kept() {}

    /** By PID: the last configuration without a mistake. Any thread. */
    @SuppressWarnings("unchecked")
    static Map<String, Map<String, Object>> lastGood(BundleContext context) {
        BundleContext framework =
                context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).getBundleContext();
        for (ServiceReference<?> kept : registered(framework)) {
            if (framework.getService(kept) instanceof Map<?, ?> lastGood) {
                return (Map<String, Map<String, Object>>) lastGood;
            }
        }
        Map<String, Map<String, Object>> lastGood = new ConcurrentHashMap<>();
        framework.registerService(Map.class, lastGood, FrameworkUtil.asDictionary(Map.of(NAME, LAST_GOOD)));
        return lastGood;
    }

    @SuppressWarnings("rawtypes")
    private static Collection<ServiceReference<Map>> registered(BundleContext framework) {
        try {
            return framework.getServiceReferences(Map.class, "(" + NAME + "=" + LAST_GOOD + ")");
        } catch (InvalidSyntaxException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
