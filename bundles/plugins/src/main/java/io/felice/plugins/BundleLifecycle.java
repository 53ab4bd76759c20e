package io.felice.plugins;

import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.wiring.FrameworkWiring;

/** Starts bundles and wires them anew: the same for plugins and for the node's own bundles. Stateless. */
final class BundleLifecycle {
    private BundleLifecycle() {}

    /** Starts a bundle until the node ends: the bundle cache starts nothing. Runs code of the bundle and may hang. */
    static void start(Bundle bundle) throws BundleException {
        bundle.start(Bundle.START_TRANSIENT | Bundle.START_ACTIVATION_POLICY);
    }

    /** What a start has thrown, as a part of a sentence. */
    static String startFailure(Throwable failure) {
        if (failure instanceof BundleException refused) {
            return switch (refused.getType()) {
                case BundleException.ACTIVATOR_ERROR -> "it throws when it is started: " + words(cause(refused));
                case BundleException.RESOLVE_ERROR -> "it cannot be wired with this node: " + words(refused);
                default -> "it cannot be started: " + words(refused);
            };
        }
        return "it cannot be started: " + words(failure);
    }

    private static Throwable cause(Throwable failure) {
        return failure.getCause() == null ? failure : failure.getCause();
    }

    /** A failure and its cause in one line. */
    static String words(Throwable failure) {
        String text = failure.toString();
        Throwable cause = failure.getCause();
        return cause == null || text.contains(cause.toString()) ? text : text + ", because of " + cause;
    }

    /** Bundles, and those that the framework would stop and wire anew with them. */
    static Collection<Bundle> closure(BundleContext context, Collection<Bundle> bundles) {
        return wiring(context).getDependencyClosure(bundles);
    }

    /**
     * Wires bundles anew, and frees the classes of their former content.
     *
     * @return false if the framework has not done it within this time
     */
    static boolean refresh(BundleContext context, Collection<Bundle> bundles, Duration patience)
            throws InterruptedException {
        CountDownLatch done = new CountDownLatch(1);
        wiring(context).refreshBundles(bundles, event -> done.countDown());
        return done.await(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static FrameworkWiring wiring(BundleContext context) {
        return context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).adapt(FrameworkWiring.class);
    }
}
