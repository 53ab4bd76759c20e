package io.felice.plugins;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.plugin.Plugin;
import io.felice.api.plugin.Plugin.State;
import io.felice.api.plugin.ProvidedExtension;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is in the directory runs, and what is not in it any more is gone. */
class DirectoryPluginsTest {
    @TempDir
    Path directory;

    private PluginJars jars;
    private PluginNode node;

    @BeforeEach
    void start() throws Exception {
        jars = new PluginJars(directory);
        node = new PluginNode(directory.resolve("data")).start();
    }

    @AfterEach
    void stop() throws Exception {
        node.stop();
    }

    @Test
    void aJarThatIsDroppedRunsAndOneThatIsDeletedIsGone() throws Exception {
        Path file = jars.store("org.example.mine", "1.0.0", "mine").pack("mine-1.0.0.jar");

        PluginJars.drop(file, node.directory());
        Plugin plugin = node.await("org.example.mine", "runs");

        assertThat(plugin.state()).isEqualTo(State.RUNS);
        assertThat(plugin.version()).isEqualTo("1.0.0");
        assertThat(plugin.file()).isEqualTo("mine-1.0.0.jar");
        assertThat(plugin.provides()).containsExactly(new ProvidedExtension("credential store", "mine"));
        assertThat(node.bundle("org.example.mine")).isPresent();

        Files.delete(node.directory().resolve("mine-1.0.0.jar"));
        node.awaitGone("org.example.mine");

        assertThat(node.context().getBundles()).noneMatch(PluginIsolation::isPlugin);
    }
}
