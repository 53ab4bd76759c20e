package io.felice.plugins;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node whose plugin hangs ends when everything else has stopped. */
class StopDeadlineTest {
    private static final Duration SOON = Duration.ofMillis(100);
    private static final Duration NEVER = Duration.ofDays(1);

    @TempDir
    Path directory;

    private final CompletableFuture<Integer> halted = new CompletableFuture<>();
    private PluginJars jars;
    private PluginNode node;

    @BeforeEach
    void start() throws Exception {
        System.clearProperty("let.stop");
        jars = new PluginJars(directory);
        node = new PluginNode(directory.resolve("data")).start();
    }

    @AfterEach
    void stop() throws Exception {
        System.setProperty("let.stop", "true");
        node.stop();
    }

    private Path bundle(String symbolicName) throws Exception {
        String hang = "while (!Boolean.getBoolean(\"let.stop\")) { Thread.sleep(10); }";
        return jars.store(symbolicName, "1.0.0", symbolicName)
                .source(
                        "Activator",
                        "public class Activator implements org.osgi.framework.BundleActivator {"
                                + " public void start(org.osgi.framework.BundleContext context) {}"
                                + " public void stop(org.osgi.framework.BundleContext context) throws Exception { "
                                + hang
                                + " } }")
                .header("Bundle-Activator", "org.example.Activator")
                .pack(symbolicName + ".jar");
    }

    private void stopWith(Duration plugins, Duration whole) {
        new StopDeadline(node.context(), plugins, whole, halted::complete).begin();
        new Thread(() -> {
                    try {
                        node.context().getBundle(0).stop();
                    } catch (Exception failure) {
                        halted.completeExceptionally(failure);
                    }
                })
                .start();
    }

    @Test
    void aPluginWhoseStopHangsIsNotWaitedForWhenTheRestHasStopped() throws Exception {
        PluginJars.drop(bundle("hanging"), node.directory());
        node.await("hanging", "runs");

        stopWith(SOON, NEVER);

        assertThat(halted.get(60, TimeUnit.SECONDS)).isZero();
    }

    @Test
    void aNodeThatDoesNotSettleEndsAtItsDeadlineWithAnError() throws Exception {
        node.context()
                .installBundle(bundle("io.felice.broker").toUri().toString())
                .start();

        stopWith(SOON, Duration.ofSeconds(1));

        assertThat(halted.get(60, TimeUnit.SECONDS)).isEqualTo(1);
    }
}
