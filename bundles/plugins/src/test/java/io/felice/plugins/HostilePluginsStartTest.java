package io.felice.plugins;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.FeliceException;
import io.felice.api.plugin.Plugin.State;
import io.felice.api.plugin.PluginWork;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;

/** A plugin that throws or hangs hurts no other plugin, and an upgrade to one is taken back. */
class HostilePluginsStartTest {
    private static final String HANG = "while (!Boolean.getBoolean(\"let.go\")) { Thread.sleep(10); }";

    @TempDir
    Path directory;

    private PluginJars jars;
    private PluginNode node;

    @BeforeEach
    void start() throws Exception {
        System.clearProperty("let.go");
        jars = new PluginJars(directory);
        node = new PluginNode(directory.resolve("data")).start();
    }

    @AfterEach
    void stop() throws Exception {
        System.setProperty("let.go", "true");
        node.stop();
    }

    private PluginJars.Recipe activator(String symbolicName, String version, String start, String stop) {
        return jars.store(symbolicName, version, symbolicName)
                .source(
                        "Activator",
                        "public class Activator implements org.osgi.framework.BundleActivator {"
                                + " public void start(org.osgi.framework.BundleContext context) throws Exception { "
                                + start
                                + " } public void stop(org.osgi.framework.BundleContext context) throws Exception { "
                                + stop
                                + " } }")
                .header("Bundle-Activator", "org.example.Activator");
    }

    private PluginJars.Recipe constructor(String symbolicName, String version, String body) {
        return jars.bundle(symbolicName, version).source("Store", PluginJars.storeCode(symbolicName, "", body));
    }

    private void drop(PluginJars.Recipe recipe, String fileName) throws Exception {
        PluginJars.drop(recipe.pack(fileName), node.directory());
    }

    private static String failure(PluginWork work) {
        try {
            return "succeeded: " + work.outcome().toCompletableFuture().join();
        } catch (CompletionException failed) {
            return FeliceException.unwrap(failed).getMessage();
        }
    }

    private static String success(PluginWork work) {
        return work.outcome().toCompletableFuture().join();
    }

    @Test
    void aPluginThatThrowsWhenItIsStartedIsLeftOut() throws Exception {
        drop(activator("throws", "1.0.0", "if (true) throw new IllegalStateException(\"no disk\");", ""), "throws.jar");
        drop(jars.store("good", "1.0.0", "good"), "good.jar");

        node.await("throws", "left out: it throws when it is started: java.lang.IllegalStateException: no disk");
        node.await("good", "runs");
        assertThat(node.context().getBundles()).noneMatch(bundle -> "throws".equals(bundle.getSymbolicName()));
    }

    @Test
    void aPluginWhoseComponentThrowsSaysSoAndIsTriedAgain() throws Exception {
        drop(constructor("failing", "1.0.0", "if (true) throw new IllegalStateException(\"hostile\");"), "failing.jar");

        node.await(
                "failing",
                "fails: its component org.example.Store throws when it is activated:"
                        + " java.lang.IllegalStateException: hostile");
        assertThat(node.plugin("failing").orElseThrow().state()).isEqualTo(State.FAILS);
        assertThat(node.plugins().troubles().toString()).contains("The plugin failing (failing.jar) fails");
    }

    @Test
    void aPluginWhoseStartHangsIsLeftOutAndTheOthersGoOn() throws Exception {
        drop(activator("hangs", "1.0.0", HANG, ""), "hangs.jar");
        node.await(
                "hangs",
                "left out: its start hangs: after 1 s the bundle hangs 1.0.0 has not come back from its start (thread"
                        + " felice-plugin-start-hangs, at org.example.Activator.start(");

        drop(jars.store("good", "1.0.0", "good"), "good.jar");
        node.await("good", "runs");
        drop(jars.store("good", "2.0.0", "good"), "good.jar");
        node.awaitVersion("good", "2.0.0");
        success(node.plugins().remove("good"));
        drop(jars.store("hangs", "2.0.0", "hangs"), "hangs.jar");
        node.await("hangs", "runs");

        assertThat(node.plugins().troubles().toString())
                .contains("The bundle hangs 1.0.0 still hangs (thread felice-plugin-start-hangs");
    }

    @Test
    void aStartThatComesBackAfterAllIsUndone() throws Exception {
        drop(activator("late", "1.0.0", HANG, ""), "late.jar");
        node.await("late", "left out: its start hangs");
        Files.delete(node.directory().resolve("late.jar"));
        node.awaitGone("late");

        System.setProperty("let.go", "true");

        node.awaitNoBundle("late");
    }

    @Test
    void aComponentThatHangsIsSaidToHang() throws Exception {
        drop(constructor("stuck", "1.0.0", "try { " + HANG + "} catch (InterruptedException e) {}"), "stuck.jar");

        node.await(
                "stuck",
                "fails: a component hangs when it is activated (thread felice-plugin-activate-stuck, at"
                        + " org.example.Store.<init>(");
        System.setProperty("let.go", "true");
        node.await("stuck", "runs");
    }

    @Test
    void anUpgradeThatThrowsIsTakenBackAlsoAfterARestart() throws Exception {
        drop(jars.store("mine", "1.0.0", "mine"), "mine.jar");
        node.await("mine", "runs");

        drop(activator("mine", "1.1.0", "if (true) throw new IllegalStateException(\"bad\");", ""), "mine.jar");
        node.await(
                "mine",
                "runs (mine 1.1.0 was taken back: it throws when it is started: java.lang.IllegalStateException: bad)");
        assertThat(node.plugin("mine").orElseThrow().version()).isEqualTo("1.0.0");
        assertThat(node.bundle("mine").orElseThrow().getVersion().toString()).isEqualTo("1.0.0");

        node.restart();
        node.await("mine", "runs (mine 1.1.0 was taken back");
        assertThat(node.bundle("mine").orElseThrow().getVersion().toString()).isEqualTo("1.0.0");
    }

    @Test
    void anUpgradeWhoseComponentThrowsIsTakenBack() throws Exception {
        drop(jars.store("mine", "1.0.0", "mine"), "mine.jar");
        node.await("mine", "runs");
        Path next = constructor("mine", "1.1.0", "if (true) throw new IllegalStateException(\"bad\");")
                .pack("mine-1.1.0.jar");

        String answer = failure(node.plugins().upgrade("mine", next));

        assertThat(answer)
                .isEqualTo("mine 1.0.0 runs (mine 1.1.0 was taken back: its component org.example.Store throws"
                        + " when it is activated: java.lang.IllegalStateException: bad)");
        assertThat(node.bundle("mine").orElseThrow().getVersion().toString()).isEqualTo("1.0.0");
    }

    @Test
    void anUpgradeWhoseStartHangsIsTakenBack() throws Exception {
        drop(jars.store("mine", "1.0.0", "mine"), "mine.jar");
        node.await("mine", "runs");

        drop(activator("mine", "1.1.0", HANG, ""), "mine.jar");
        node.await("mine", "runs (mine 1.1.0 was taken back: its start hangs");

        assertThat(node.bundle("mine").orElseThrow().getVersion().toString()).isEqualTo("1.0.0");
    }

    @Test
    void anUpgradeThatWaitsForAConfigurationIsTakenBack() throws Exception {
        drop(jars.store("mine", "1.0.0", "mine"), "mine.jar");
        node.await("mine", "runs");
        String needy = ", configurationPid = \"org.example.needy\", configurationPolicy = ConfigurationPolicy.REQUIRE";

        drop(jars.bundle("mine", "1.1.0").source("Store", PluginJars.storeCode("mine", needy, "")), "mine.jar");

        node.await("mine", "runs (mine 1.1.0 was taken back: it waits for configuration org.example.needy)");
    }

    @Test
    void aNewPluginWaitsForItsConfiguration() throws Exception {
        String needy = ", configurationPid = \"org.example.needy\", configurationPolicy = ConfigurationPolicy.REQUIRE";
        drop(jars.bundle("needy", "1.0.0").source("Store", PluginJars.storeCode("needy", needy, "")), "needy.jar");
        node.await("needy", "waits for configuration org.example.needy");

        node.configure("org.example.needy");

        node.await("needy", "runs");
    }

    @Test
    void anUpgradeThatDoesNotFitLeavesTheOldVersionAlone() throws Exception {
        drop(jars.store("mine", "1.0.0", "mine"), "mine.jar");
        node.await("mine", "runs");
        Bundle before = node.bundle("mine").orElseThrow();
        long started = before.getLastModified();

        drop(jars.store("mine", "1.1.0", "mine").header("Import-Package", "org.nowhere,*"), "mine.jar");
        node.await(
                "mine",
                "runs (mine 1.1.0 is left out: It needs the package org.nowhere, which no bundle of this node exports.");

        assertThat(before.getLastModified()).isEqualTo(started);
        node.restart();
        node.await("mine", "runs (mine 1.1.0 is left out");
    }

    @Test
    void aPluginThatDoesNotStopIsLeftToItself() throws Exception {
        drop(activator("mine", "1.0.0", "", HANG), "mine.jar");
        node.await("mine", "runs");

        drop(jars.store("mine", "2.0.0", "mine"), "mine.jar");
        node.awaitVersion("mine", "2.0.0");

        assertThat(node.plugins().troubles().toString()).contains("The bundle mine 1.0.0 still hangs");
        System.setProperty("let.go", "true");
        node.awaitBundles("mine", 1);
    }

    @Test
    void anEmptyNameIsNoPlugin() {
        assertThatThrownBy(() -> success(node.plugins().disable("nobody")))
                .rootCause()
                .hasMessageContaining("There is no plugin nobody. felice:plugin-list shows the plugins of this node.");
    }
}
