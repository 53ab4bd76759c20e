package io.felice.shell;

import java.util.Arrays;
import java.util.List;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.startlevel.BundleStartLevel;

/**
 * A bundle as the framework has it now.
 *
 * @param name its symbolic name
 * @param isFragment true if it cannot be started, because it is part of another bundle
 * @param isOurs true if it is Felice's, or uses Felice's API
 * @param isWanted false if it was stopped, or never started, by hand: the next start leaves it stopped
 */
record InstalledBundle(String name, State state, boolean isFragment, boolean isOurs, boolean isWanted) {
    enum State {
        UNRESOLVED,
        STOPPED,
        CHANGING,
        ACTIVE
    }

    static List<InstalledBundle> all(BundleContext context) {
        return Arrays.stream(context.getBundles())
                .filter(bundle -> bundle.getState() != Bundle.UNINSTALLED)
                .map(InstalledBundle::of)
                .toList();
    }

    private static InstalledBundle of(Bundle bundle) {
        String name = nameOf(bundle);
        BundleStartLevel level = bundle.adapt(BundleStartLevel.class);
        return new InstalledBundle(
                name,
                stateOf(bundle),
                bundle.getHeaders("").get(Constants.FRAGMENT_HOST) != null,
                isOurs(name, bundle.getHeaders("").get(Constants.IMPORT_PACKAGE)),
                level == null || level.isPersistentlyStarted());
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

    private static boolean isOurs(String name, String imports) {
        return name.startsWith("io.felice.") || (imports != null && imports.contains("io.felice."));
    }
}
