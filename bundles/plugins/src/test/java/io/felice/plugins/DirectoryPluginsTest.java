package io.felice.plugins;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.plugin.Plugin;
import io.felice.api.plugin.Plugin.State;
import io.felice.api.plugin.ProvidedExtension;
import io.felice.api.status.StatusTable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;
import org.osgi.framework.startlevel.BundleStartLevel;

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

    @Test
    void aFileThatIsReplacedIsAnUpgradeAndOneThatIsOnlyTouchedIsNothing() throws Exception {
        String name = "org.example.replaced";
        PluginJars.drop(jars.store(name, "1.0.0", "replaced").pack("replaced.jar"), node.directory());
        node.await(name, "runs");
        Bundle first = node.bundle(name).orElseThrow();
        int activated = Integer.getInteger("replaced.activated");

        Path file = node.directory().resolve("replaced.jar");
        Files.setLastModifiedTime(file, FileTime.fromMillis(System.currentTimeMillis() - 60_000));
        PluginJars.drop(jars.store("org.example.other", "1.0.0", "other").pack("other.jar"), node.directory());
        node.await("org.example.other", "runs");
        assertThat(Integer.getInteger("replaced.activated")).isEqualTo(activated);

        PluginJars.drop(jars.store(name, "2.0.0", "replaced").pack("replaced.jar"), node.directory());
        node.awaitVersion(name, "2.0.0");

        assertThat(node.words(name)).isEqualTo("runs");
        assertThat(node.bundle(name).orElseThrow()).isSameAs(first);
        assertThat(node.plugin(name).orElseThrow().kept()).containsExactly("1.0.0");
    }

    @Test
    void theTableOfThePluginsSaysHowEachIsAndSinceWhen() throws Exception {
        long before = System.currentTimeMillis();
        PluginJars.drop(jars.store("org.example.mine", "1.0.0", "mine").pack("mine.jar"), node.directory());
        node.await("org.example.mine", "runs");
        Files.writeString(node.directory().resolve("broken.jar"), "no jar");
        node.await("broken.jar", "left out");

        List<Map<String, Object>> rows = rows("plugins.plugins");
        assertThat(rows).hasSize(2);
        assertThat(rows.get(0)).containsEntry("plugin", "broken.jar").containsEntry("state", "left out");
        assertThat(rows.get(1))
                .containsEntry("plugin", "org.example.mine")
                .containsEntry("file", "mine.jar")
                .containsEntry("version", "1.0.0")
                .containsEntry("state", "runs")
                .containsEntry("extensions", "credential store mine");
        assertThat((Long) rows.get(1).get("since.ms")).isBetween(before, System.currentTimeMillis());
        assertThat(rows("plugins")).containsExactly(Map.of("running", 1L, "left.out", 1L, "kept.versions", 1L));
        node.plugins()
                .disable("org.example.mine")
                .outcome()
                .toCompletableFuture()
                .join();
        assertThat(rows("plugins.plugins").get(1)).containsEntry("state", "disabled");
        assertThat(rows("plugins.plugins").get(0)).isEqualTo(rows.get(0));
    }

    private List<Map<String, Object>> rows(String name) {
        StatusTable table = node.plugins().tables().stream()
                .filter(each -> each.schema().name().equals(name))
                .findFirst()
                .orElseThrow();
        List<Map<String, Object>> rows = new ArrayList<>();
        for (List<Object> cells : table.rows()) {
            Map<String, Object> row = new HashMap<>();
            for (int column = 0; column < cells.size(); column++) {
                row.put(table.schema().columns().get(column).name(), cells.get(column));
            }
            rows.add(row);
        }
        return rows;
    }

    @Test
    void aFileThatIsStillBeingWrittenIsWaitedFor() throws Exception {
        Path whole = jars.store("org.example.slow", "1.0.0", "slow").pack("slow.jar");
        byte[] bytes = Files.readAllBytes(whole);
        Path file = node.directory().resolve("slow.jar");

        Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));
        node.await("slow.jar", "left out: It is not a whole jar or zip file");
        Files.write(file, bytes);

        node.await("org.example.slow", "runs");
        assertThat(node.plugin("slow.jar")).isEmpty();
    }

    @Test
    void whatRunsGoesOnWhileItsFileIsOverwritten() throws Exception {
        String name = "org.example.overwritten";
        PluginJars.drop(jars.store(name, "1.0.0", "overwritten").pack("overwritten.jar"), node.directory());
        node.await(name, "runs");

        Files.write(node.directory().resolve("overwritten.jar"), new byte[] {'P', 'K'});
        node.await(name, "runs (overwritten.jar is left out: It is not a whole jar or zip file");
        assertThat(node.bundle(name)).isPresent();

        node.restart();
        node.await(name, "runs (");
    }

    @Test
    void theSecondOfTwoFilesOfOnePluginIsLeftOut() throws Exception {
        String name = "org.example.twice";
        PluginJars.drop(jars.store(name, "1.1.0", "twice").pack("twice-1.1.0.jar"), node.directory());
        node.await(name, "runs");

        PluginJars.drop(jars.store(name, "1.0.0", "twice").pack("twice-1.0.0.jar"), node.directory());
        node.awaitFile(
                "twice-1.0.0.jar",
                "left out: It is a second file of the plugin org.example.twice, which is in twice-1.1.0.jar (1.1.0)");

        node.restart();
        node.awaitFile("twice-1.1.0.jar", "runs");
        node.awaitFile("twice-1.0.0.jar", "left out: It is a second file");

        Files.delete(node.directory().resolve("twice-1.1.0.jar"));
        node.awaitFile("twice-1.0.0.jar", "runs");
        assertThat(node.plugin(name).orElseThrow().version()).isEqualTo("1.0.0");
    }

    @Test
    void aNameThatIsTakenIsRefusedAndItIsSaidByWhom() throws Exception {
        PluginJars.drop(jars.store("org.example.first", "1.0.0", "taken").pack("z.jar"), node.directory());
        node.await("org.example.first", "runs");

        PluginJars.drop(jars.store("org.example.second", "2.0.0", "taken").pack("a.jar"), node.directory());
        node.await(
                "org.example.second",
                "left out: It provides the credential store taken, which the plugin org.example.first 1.0.0 provides"
                        + " already. The first one stays in use.");

        node.restart();
        node.await("org.example.first", "runs");
        node.await("org.example.second", "left out: It provides the credential store taken");

        Files.delete(node.directory().resolve("z.jar"));
        node.await("org.example.second", "runs");
    }

    @Test
    void whatIsInUseStaysWhenItsFileIsDeleted() throws Exception {
        ProvidedExtension used = new ProvidedExtension("credential store", "used");
        PluginJars.drop(jars.store("org.example.used", "1.0.0", "used").pack("used.jar"), node.directory());
        node.await("org.example.used", "runs");
        node.use(used, "the setting credential.store");

        Files.delete(node.directory().resolve("used.jar"));
        node.await(
                "org.example.used",
                "runs (its file is gone from plugins/, and it stays because it is in use by the setting"
                        + " credential.store. felice:plugin-rollback org.example.used brings the file back)");

        node.use(used);
        node.awaitGone("org.example.used");
    }

    @Test
    void whatIsRemovedWhileTheNodeIsDownIsGoneWhenItStarts() throws Exception {
        PluginJars.drop(jars.store("org.example.down", "1.0.0", "down").pack("down.jar"), node.directory());
        node.await("org.example.down", "runs");
        node.stop();

        Files.delete(node.directory().resolve("down.jar"));
        node.start();
        node.awaitLooked();

        assertThat(node.plugins().list()).isEmpty();
        assertThat(node.context().getBundles()).noneMatch(PluginIsolation::isPlugin);
    }

    @Test
    void theCacheStartsNothing() throws Exception {
        PluginJars.drop(jars.store("org.example.cached", "1.0.0", "cached").pack("cached.jar"), node.directory());
        node.await("org.example.cached", "runs");

        assertThat(node.bundle("org.example.cached")
                        .orElseThrow()
                        .adapt(BundleStartLevel.class)
                        .isPersistentlyStarted())
                .isFalse();
    }

    @Test
    void pluginsGoOnWhileTheirKeeperIsUpdated() throws Exception {
        PluginJars.drop(jars.store("org.example.kept", "1.0.0", "kept").pack("kept.jar"), node.directory());
        PluginJars.drop(jars.store("org.example.doomed", "1.0.0", "doomed").pack("doomed.jar"), node.directory());
        node.await("org.example.kept", "runs");
        node.await("org.example.doomed", "runs");
        long changed = node.bundle("org.example.kept").orElseThrow().getLastModified();
        int activated = Integer.getInteger("kept.activated");

        node.swap();
        node.await("org.example.kept", "runs");
        Files.delete(node.directory().resolve("doomed.jar"));
        node.awaitGone("org.example.doomed");

        assertThat(node.bundle("org.example.kept").orElseThrow().getLastModified())
                .isEqualTo(changed);
        assertThat(Integer.getInteger("kept.activated")).isEqualTo(activated);
    }

    @Test
    void anArchiveBringsItsLibrariesAndTwoPluginsMayBringDifferentVersions() throws Exception {
        for (String version : List.of("1", "2")) {
            Path library = jars.bundle("org.example.library", version + ".0.0")
                    .source(
                            "org.library",
                            "Version",
                            "public class Version { public String toString() { return \"" + version + "\"; } }")
                    .header("Export-Package", "org.library;version=" + version + ".0")
                    .pack("library-" + version + ".jar");
            Path plugin = jars.bundle("org.example.user" + version, "1.0.0")
                    .source(
                            "Store",
                            PluginJars.storeCode(
                                    "library" + version,
                                    "",
                                    "System.setProperty(\"library" + version
                                            + "\", new org.library.Version().toString());"))
                    .compiledAgainst(library)
                    .header("Import-Package", "org.library;version=\"[1,3)\",*")
                    .pack("user.jar");
            PluginJars.drop(jars.archive("user" + version + ".zip", library, plugin), node.directory());
        }

        node.await("org.example.user1", "runs");
        node.await("org.example.user2", "runs");
        assertThat(System.getProperty("library1")).isEqualTo("1");
        assertThat(System.getProperty("library2")).isEqualTo("2");
    }

    @Test
    void noBundleOfTheNodeIsWiredToAPlugin() throws Exception {
        Path plugin = jars.store("org.example.exporting", "1.0.0", "exporting")
                .source("org.exported", "Thing", "public class Thing {}")
                .header("Export-Package", "org.exported;version=1.0")
                .header("-includepackage", "org.example.*,org.exported.*")
                .pack("exporting.jar");
        PluginJars.drop(plugin, node.directory());
        node.await("org.example.exporting", "runs");
        Path core = jars.bundle("core", "1.0.0")
                .header("Import-Package", "org.exported")
                .pack("core.jar");

        Bundle bundle = node.context().installBundle(core.toUri().toString());

        assertThatThrownBy(bundle::start).isInstanceOf(BundleException.class).hasMessageContaining("org.exported");
    }
}
