package io.felice.shell;

import io.felice.api.plugin.Plugins;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.startlevel.BundleStartLevel;

/**
 * The present state of an installed bundle.
 *
 * @param name its symbolic name
 * @param isFragment true if it is a fragment of another bundle, so that it cannot be started itself
 * @param isOurs true if it is a bundle of Felice or uses Felice's API
 * @param isWanted false if an operator stopped the bundle or never started it: the next start of the node does not
 *     start it
 */
record InstalledBundle(String name, State state, boolean isFragment, boolean isOurs, boolean isWanted) {
    enum State {
        UNRESOLVED,
        STOPPED,
        CHANGING,
        ACTIVE
    }

    /** All bundles but those of plugins, which {@link Plugins} speaks for. */
    static List<InstalledBundle> all(BundleContext context) {
        return Arrays.stream(context.getBundles())
                .filter(bundle -> !isOfPlugin(bundle))
                .flatMap(bundle -> of(bundle).stream())
                .toList();
    }

    /** Empty if the bundle is being uninstalled. */
    private static Optional<InstalledBundle> of(Bundle bundle) {
        try {
            return bundle.getState() == Bundle.UNINSTALLED ? Optional.empty() : Optional.of(seen(bundle));
        } catch (IllegalStateException uninstalled) {
            return Optional.empty();
        }
    }

    private static InstalledBundle seen(Bundle bundle) {
        BundleStartLevel level = bundle.adapt(BundleStartLevel.class);
        return new InstalledBundle(
                nameOf(bundle),
                stateOf(bundle),
                bundle.getHeaders("").get(Constants.FRAGMENT_HOST) != null,
                isOurs(bundle),
                level == null || level.isPersistentlyStarted());
    }

    static boolean isOfPlugin(Bundle bundle) {
        return bundle.getLocation().startsWith(Plugins.LOCATION);
    }

    static boolean isOurs(Bundle bundle) {
        String imports = bundle.getHeaders("").get(Constants.IMPORT_PACKAGE);
        return nameOf(bundle).startsWith("io.felice.") || (imports != null && imports.contains("io.felice."));
    }

    static String nameOf(Bundle bundle) {
        return bundle.getSymbolicName() == null ? bundle.getLocation() : bundle.getSymbolicName();
    }

    private static State stateOf(Bundle bundle) {
        return switch (bundle.getState()) {
            case Bundle.INSTALLED -> State.UNRESOLVED;
            case Bundle.RESOLVED -> State.STOPPED;
            case Bundle.ACTIVE -> State.ACTIVE;
            default -> State.CHANGING;
        };
    }
}
