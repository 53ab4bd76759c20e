package io.felice.plugins;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.FeliceException;
import io.felice.api.plugin.NodeUpdate;
import io.felice.api.status.Trouble;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.Version;
import org.osgi.service.component.runtime.ServiceComponentRuntime;

/** The node's own bundles are replaced while it runs, and one that does not work is taken back. */
class BundleUpdatesTest {
    private static final String ONE = "io.felice.one";
    private static final String TWO = "io.felice.two";

    @TempDir
    Path directory;

    private final List<String> progress = new CopyOnWriteArrayList<>();
    private PluginJars jars;
    private PluginNode node;
    private BundleUpdates updates;
    private Path home;
    private Bundle one;
    private Bundle two;

    @BeforeEach
    void start() throws Exception {
        jars = new PluginJars(directory);
        node = new PluginNode(directory.resolve("data")).start();
        one = install(store(ONE, "1.0.0"));
        two = install(store(TWO, "1.0.0"));
        home = directory.resolve("other");
        Files.createDirectories(home.resolve("system/io/felice"));
        updates = new BundleUpdates(node.context(), node.service(ServiceComponentRuntime.class), Duration.ofSeconds(2));
    }

    @AfterEach
    void stop() throws Exception {
        node.stop();
    }

    private PluginJars.Recipe store(String name, String version) {
        return jars.store(name, version, name);
    }

    private PluginJars.Recipe thatDoesNotStart(String name, String version) {
        return store(name, version)
                .source(
                        "Activator",
                        "public class Activator implements org.osgi.framework.BundleActivator {"
                                + " public void start(org.osgi.framework.BundleContext context) {"
                                + " throw new IllegalStateException(\"broken\"); }"
                                + " public void stop(org.osgi.framework.BundleContext context) { } }")
                .header("Bundle-Activator", "org.example.Activator");
    }

    private Bundle install(PluginJars.Recipe recipe) throws Exception {
        Bundle bundle = node.context()
                .installBundle(recipe.pack("installed.jar").toUri().toString());
        bundle.start();
        return bundle;
    }

    private void offer(PluginJars.Recipe recipe, String name) throws Exception {
        Files.copy(recipe.pack(name), home.resolve("system/io/felice").resolve(name));
    }

    private String update(String... bundles) {
        try {
            return updates.update(Optional.of(home), List.of(bundles), progress::add)
                    .toCompletableFuture()
                    .join();
        } catch (CompletionException failed) {
            return FeliceException.unwrap(failed).getMessage();
        }
    }

    @Test
    void whatDiffersIsReplacedAndTheRestIsNotTouched() throws Exception {
        offer(store(ONE, "1.1.0"), "one.jar");
        long touched = two.getLastModified();

        assertThat(updates.candidates(Optional.of(home)))
                .containsExactly(new NodeUpdate.Candidate(ONE, "1.0.0", "1.1.0", true));
        assertThat(update()).isEqualTo("1 bundle was replaced");

        assertThat(one.getVersion()).isEqualTo(new Version("1.1.0"));
        assertThat(one.getState()).isEqualTo(Bundle.ACTIVE);
        assertThat(progress).hasSize(1);
        assertThat(progress.get(0)).startsWith(ONE + " 1.0.0 -> 1.1.0, healthy after ");
        assertThat(two.getLastModified()).isEqualTo(touched);
        assertThat(updates.candidates(Optional.of(home)).get(0).running()).isEqualTo("1.1.0");
    }

    @Test
    void aBundleThatDoesNotStartIsTakenBackAndTheUpdateEndsThere() throws Exception {
        offer(thatDoesNotStart(ONE, "1.1.0"), "one.jar");
        offer(store(TWO, "1.1.0"), "two.jar");

        assertThat(update())
                .startsWith(ONE + " 1.0.0 was taken back, because its update was not healthy: ")
                .endsWith("broken");

        assertThat(one.getVersion()).isEqualTo(new Version("1.0.0"));
        assertThat(one.getState()).isEqualTo(Bundle.ACTIVE);
        assertThat(two.getVersion()).isEqualTo(new Version("1.0.0"));
    }

    @Test
    void aBundleWithWhichThePartsOfTheNodeDoNotServeIsTakenBack() throws Exception {
        updates.bindHealth(() -> List.of(Trouble.inPart("The disk has 5 bytes left " + System.nanoTime())));
        updates.bindHealth(
                () -> one.getVersion().getMinor() == 1 ? List.of(Trouble.inPart("Nobody can log in")) : List.of());
        offer(store(ONE, "1.1.0"), "one.jar");
        offer(store(TWO, "1.1.0"), "two.jar");

        assertThat(update(ONE)).contains("was taken back", "Nobody can log in").doesNotContain("disk");
        assertThat(one.getVersion()).isEqualTo(new Version("1.0.0"));

        assertThat(update(TWO)).isEqualTo("1 bundle was replaced");
    }

    @Test
    void whatComesBackIsWhatRanAndNotWhatWasInstalled() throws Exception {
        offer(store(ONE, "1.1.0"), "one.jar");
        assertThat(update()).isEqualTo("1 bundle was replaced");
        Files.delete(home.resolve("system/io/felice/one.jar"));
        offer(thatDoesNotStart(ONE, "1.2.0"), "one.jar");

        assertThat(update()).startsWith(ONE + " 1.1.0 was taken back");
        assertThat(one.getVersion()).isEqualTo(new Version("1.1.0"));
        assertThat(one.getState()).isEqualTo(Bundle.ACTIVE);
    }

    @Test
    void aDistributionWithAnotherApiNeedsARestart() throws Exception {
        install(store("io.felice.api", "1.0.0"));
        offer(store("io.felice.api", "1.1.0"), "api.jar");
        offer(store(ONE, "1.1.0"), "one.jar");

        assertThat(update()).contains("needs a restart", "io.felice.api 1.1.0");
        assertThat(one.getVersion()).isEqualTo(new Version("1.0.0"));
    }

    @Test
    void whatCannotBeReplacedIsNamed() {
        assertThat(update("io.felice.api"))
                .isEqualTo("No such bundle can be replaced while the node runs: io.felice.api");
        assertThatThrownBy(() -> updates.candidates(Optional.of(directory)))
                .isInstanceOf(FeliceException.class)
                .hasMessageContaining("is not the directory of a distribution");
    }
}
