package io.felice.shell;

import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleListener;
import org.osgi.framework.Constants;
import org.osgi.framework.startlevel.FrameworkStartLevel;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs each bundle that is installed, updated, started, stopped or uninstalled while the node runs. */
@Component(
        service = {},
        immediate = true)
public final class BundleNews implements BundleListener {
    private static final Logger log = LoggerFactory.getLogger(BundleNews.class);

    private final BundleContext context;

    @Activate
    public BundleNews(BundleContext context) {
        this.context = context;
        context.addBundleListener(this);
    }

    @Deactivate
    public void close() {
        context.removeBundleListener(this);
    }

    @Override
    public void bundleChanged(BundleEvent event) {
        String change = change(event.getType());
        if (change != null && !isStartingOrStopping()) {
            Bundle bundle = event.getBundle();
            log.info("The bundle {} {} was {}", InstalledBundle.nameOf(bundle), bundle.getVersion(), change);
        }
    }

    private static String change(int type) {
        return switch (type) {
            case BundleEvent.INSTALLED -> "installed";
            case BundleEvent.UPDATED -> "updated";
            case BundleEvent.STARTED -> "started";
            case BundleEvent.STOPPED -> "stopped";
            case BundleEvent.UNINSTALLED -> "uninstalled";
            default -> null;
        };
    }

    /** Changes of bundles are not logged while the whole node starts or stops. */
    private boolean isStartingOrStopping() {
        Bundle framework = context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION);
        FrameworkStartLevel level = framework.adapt(FrameworkStartLevel.class);
        return framework.getState() != Bundle.ACTIVE || level.getStartLevel() < level.getInitialBundleStartLevel();
    }
}
