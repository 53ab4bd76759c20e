package io.felice.plugins;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.SynchronousBundleListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the process of a node that stops and cannot, because a plugin hangs: the framework would wait for ever. The node's own
 * bundles stop first, so that everything is settled when only plugins are left.
 */
final class StopDeadline {
    private static final Logger log = LoggerFactory.getLogger(StopDeadline.class);
    private static final String OURS = "io.felice.";
    private static final long STEP_MS = 100;

    /** The setting that says how long a stop may take, in milliseconds. A Karaf that is not ours does not set it. */
    private static final String WHOLE_STOP = "karaf.shutdown.timeout";

    private static final Duration FOR_EVER = Duration.ofDays(365);

    private static final int SETTLED = 0;
    private static final int NOT_SETTLED = 1;

    private final BundleContext context;
    private final Duration wholeStop;
    private final IntConsumer halt;
    private final SynchronousBundleListener listener = this::changed;
    private volatile Duration pluginsStop;

    StopDeadline(BundleContext context, int pluginsStopMs) {
        this(context, Duration.ofMillis(pluginsStopMs), wholeStop(context), Runtime.getRuntime()::halt);
    }

    private static Duration wholeStop(BundleContext context) {
        String ms = context.getProperty(WHOLE_STOP);
        return ms == null ? FOR_EVER : Duration.ofMillis(Long.parseLong(ms.trim()));
    }

    /** @param halt gets the exit code; 0 if everything but plugins had stopped */
    StopDeadline(BundleContext context, Duration pluginsStop, Duration wholeStop, IntConsumer halt) {
        this.context = context;
        this.pluginsStop = pluginsStop;
        this.wholeStop = wholeStop;
        this.halt = halt;
    }

    void begin() {
        context.addBundleListener(listener);
    }

    /** A stop that has begun is watched to its end. */
    void end() {
        context.removeBundleListener(listener);
    }

    void set(int pluginsStopMs) {
        pluginsStop = Duration.ofMillis(pluginsStopMs);
    }

    private void changed(BundleEvent event) {
        if (event.getBundle().getBundleId() == 0 && event.getType() == BundleEvent.STOPPING) {
            List<Bundle> bundles = Arrays.asList(context.getBundles());
            Thread thread = new Thread(() -> watch(event.getBundle(), bundles), "felice-stop-deadline");
            thread.setDaemon(true);
            thread.start();
        }
    }

    private void watch(Bundle framework, List<Bundle> bundles) {
        long begun = System.nanoTime();
        long settled = 0;
        while (framework.getState() == Bundle.STOPPING) {
            long now = System.nanoTime();
            boolean isSettled = bundles.stream().filter(StopDeadline::isOurs).noneMatch(StopDeadline::isUp)
                    && bundles.stream().anyMatch(bundle -> PluginIsolation.isPlugin(bundle) && isChanging(bundle));
            settled = settled == 0 && isSettled ? now : settled;
            if (isSettled && now - settled > pluginsStop.toNanos()) {
                log.warn(
                        "The node ends without waiting for {}. The other bundles of Felice have stopped, and all logs are"
                                + " settled",
                        late(bundles));
                halt.accept(SETTLED);
                return;
            }
            if (now - begun > wholeStop.toNanos()) {
                log.error(
                        "The node has not stopped within {} s, and ends now: {}", wholeStop.toSeconds(), late(bundles));
                halt.accept(NOT_SETTLED);
                return;
            }
            sleep();
        }
    }

    private static void sleep() {
        try {
            Thread.sleep(STEP_MS);
        } catch (InterruptedException nobodyDoes) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean isOurs(Bundle bundle) {
        return bundle.getSymbolicName() != null
                && bundle.getSymbolicName().startsWith(OURS)
                && !PluginIsolation.isPlugin(bundle);
    }

    private static boolean isUp(Bundle bundle) {
        return bundle.getState() == Bundle.ACTIVE || isChanging(bundle);
    }

    private static boolean isChanging(Bundle bundle) {
        return bundle.getState() == Bundle.STARTING || bundle.getState() == Bundle.STOPPING;
    }

    private static String late(List<Bundle> bundles) {
        String names = bundles.stream()
                .filter(bundle -> bundle.getBundleId() != 0 && isChanging(bundle))
                .map(bundle -> bundle.getSymbolicName() + " " + bundle.getVersion()
                        + (bundle.getState() == Bundle.STARTING ? ", whose start hangs" : ", whose stop hangs"))
                .collect(Collectors.joining("; "));
        return names.isEmpty() ? "its bundles" : names;
    }
}
