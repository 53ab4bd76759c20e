package io.felice.api.plugin;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Replaces bundles of Felice itself while the node runs: one after the other, in an order in which each finds what it
 * needs. Clients notice a pause for each bundle; only the update of {@code io.felice.network} closes their connections.
 * The bundles {@link #FIXED} and the libraries are not replaced: a distribution with others of these needs a restart.
 */
@ProviderType
public interface NodeUpdate {
    /** The bundles of Felice that only a restart replaces. */
    List<String> FIXED = List.of("io.felice.api", "io.felice.protocol", "io.felice.zookeeper");

    /**
     * A bundle that can be replaced.
     *
     * @param running the version that runs
     * @param offered the version of the other distribution
     * @param differs false if both have the same content
     */
    record Candidate(String bundle, String running, String offered, boolean differs) {}

    /**
     * The bundles of this node that can be replaced, in the order of an update. Reads files on the calling thread.
     *
     * @param home the directory of another distribution on the node's machine; empty for the files that the bundles of
     *     this node were installed from
     * @throws io.felice.api.FeliceException INVALID_REQUEST if there is no distribution, or if it needs a restart
     */
    List<Candidate> candidates(Optional<Path> home);

    /**
     * Replaces bundles. After each one it waits until the bundle is as healthy as the one before; if it is not in time, the
     * one before comes back, and the update ends there. Any thread; does not block. One update at a time.
     *
     * @param bundles symbolic names; empty for all whose content differs
     * @param progress gets a sentence for each bundle, on any thread; after {@code io.felice.shell} was replaced, the shell
     *     that began the update has gone
     * @return completes with a sentence, or fails with INVALID_REQUEST and one
     */
    CompletionStage<String> update(Optional<Path> home, List<String> bundles, Consumer<String> progress);
}
