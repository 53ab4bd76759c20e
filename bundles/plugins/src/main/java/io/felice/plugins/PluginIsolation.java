package io.felice.plugins;

import io.felice.api.plugin.Plugins;
import java.util.Collection;
import org.osgi.framework.Bundle;
import org.osgi.framework.hooks.bundle.CollisionHook;
import org.osgi.framework.hooks.resolver.ResolverHook;
import org.osgi.framework.hooks.resolver.ResolverHookFactory;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRequirement;
import org.osgi.framework.wiring.BundleRevision;

/**
 * Keeps plugins apart from the node and from each other. No bundle of the node is wired to a plugin, so that a plugin can go
 * without a refresh of the node. A plugin that brings a library is wired to its own one, and two plugins may bring the same
 * library in the same version. The framework calls it on any thread; stateless.
 */
final class PluginIsolation implements ResolverHookFactory, CollisionHook {
    @Override
    public ResolverHook begin(Collection<BundleRevision> triggers) {
        return new Wires();
    }

    @Override
    public void filterCollisions(int operation, Bundle target, Collection<Bundle> candidates) {
        candidates.removeIf(candidate -> isPlugin(candidate) && (operation == INSTALLING || isPlugin(target)));
    }

    static boolean isPlugin(Bundle bundle) {
        return bundle.getLocation().startsWith(Plugins.LOCATION);
    }

    /** The plugin that a bundle is a part of. */
    static String pluginOf(Bundle bundle) {
        String rest = bundle.getLocation().substring(Plugins.LOCATION.length());
        return rest.replaceFirst("[/#].*$", "");
    }

    /** The wires of one resolve. */
    private static final class Wires implements ResolverHook {
        @Override
        public void filterMatches(BundleRequirement requirement, Collection<BundleCapability> candidates) {
            Bundle asking = requirement.getRevision().getBundle();
            if (!isPlugin(asking)) {
                candidates.removeIf(
                        candidate -> isPlugin(candidate.getRevision().getBundle()));
            } else if (candidates.stream().anyMatch(candidate -> isPartOfSame(asking, candidate))) {
                candidates.removeIf(candidate -> !isPartOfSame(asking, candidate));
            }
        }

        private static boolean isPartOfSame(Bundle asking, BundleCapability candidate) {
            Bundle offering = candidate.getRevision().getBundle();
            return isPlugin(offering) && pluginOf(offering).equals(pluginOf(asking));
        }

        @Override
        public void filterResolvable(Collection<BundleRevision> candidates) {
            // Every bundle may be resolved.
        }

        @Override
        public void filterSingletonCollisions(
                BundleCapability singleton, Collection<BundleCapability> collisionCandidates) {
            // Plugins that must be alone in the framework stay so.
        }

        @Override
        public void end() {
            // It keeps nothing.
        }
    }
}
