package io.felice.plugins;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.FeliceException;
import io.felice.api.plugin.Plugin.State;
import io.felice.api.plugin.PluginWork;
import io.felice.api.plugin.ProvidedExtension;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator can order changes the directory, and nothing is remembered anywhere else but what is disabled. */
class PluginCommandsTest {
    private static final String MINE = "org.example.mine";

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

    private Path mine(String version) throws Exception {
        return jars.store(MINE, version, "mine").pack("mine-" + version + ".jar");
    }

    private static String success(PluginWork work) {
        return work.outcome().toCompletableFuture().join();
    }

    private static String failure(PluginWork work) {
        try {
            return "succeeded: " + success(work);
        } catch (CompletionException failed) {
            return FeliceException.unwrap(failed).getMessage();
        }
    }

    private List<String> files() throws Exception {
        try (var files = Files.list(node.directory())) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void installUpgradeRollbackAndRemoveChangeTheDirectory() throws Exception {
        assertThat(success(node.plugins().install(mine("1.0.0")))).isEqualTo(MINE + " 1.0.0 runs");
        assertThat(files()).containsExactly("mine-1.0.0.jar");

        assertThat(success(node.plugins().upgrade(MINE, mine("2.0.0")))).isEqualTo(MINE + " 2.0.0 runs");
        assertThat(files()).containsExactly("mine-2.0.0.jar");

        assertThat(success(node.plugins().rollback(MINE))).isEqualTo(MINE + " 1.0.0 runs");
        assertThat(files()).containsExactly("mine-1.0.0.jar");

        success(node.plugins().remove(MINE));
        assertThat(files()).isEmpty();
        assertThat(node.plugins().list()).isEmpty();

        assertThat(success(node.plugins().rollback(MINE))).isEqualTo(MINE + " 1.0.0 runs");
        assertThat(files()).containsExactly("mine-1.0.0.jar");
    }

    @Test
    void theLastTwoVersionsAreKept() throws Exception {
        success(node.plugins().install(mine("1.0.0")));
        success(node.plugins().upgrade(MINE, mine("2.0.0")));
        success(node.plugins().upgrade(MINE, mine("3.0.0")));

        assertThat(node.plugin(MINE).orElseThrow().kept()).containsExactly("2.0.0");
        try (var kept = Files.walk(directory.resolve("data/plugins-kept"))) {
            assertThat(kept.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".jar")))
                    .containsExactlyInAnyOrder("mine-2.0.0.jar", "mine-3.0.0.jar");
        }
    }

    @Test
    void aDisabledPluginStaysDisabledUntilItIsEnabled() throws Exception {
        success(node.plugins().install(mine("1.0.0")));

        assertThat(success(node.plugins().disable(MINE))).isEqualTo(MINE + " 1.0.0 is disabled");
        assertThat(node.bundle(MINE)).isEmpty();
        node.restart();
        node.await(MINE, "disabled");
        PluginJars.drop(mine("2.0.0"), node.directory());
        Files.delete(node.directory().resolve("mine-1.0.0.jar"));
        node.awaitVersion(MINE, "2.0.0");
        assertThat(node.plugin(MINE).orElseThrow().state()).isEqualTo(State.DISABLED);

        assertThat(success(node.plugins().enable(MINE))).isEqualTo(MINE + " 2.0.0 runs");
        node.restart();
        node.await(MINE, "runs");
    }

    @Test
    void whatIsInUseIsNeitherRemovedNorDisabled() throws Exception {
        success(node.plugins().install(mine("1.0.0")));
        node.use(new ProvidedExtension("credential store", "mine"), "the topic a", "the topic b");

        assertThat(failure(node.plugins().remove(MINE)))
                .isEqualTo("The plugin " + MINE + " cannot be removed: it is in use by the topic a; the topic b.");
        assertThat(failure(node.plugins().disable(MINE)))
                .isEqualTo("The plugin " + MINE + " cannot be disabled: it is in use by the topic a; the topic b.");
        assertThat(node.words(MINE)).isEqualTo("runs");
        assertThat(files()).containsExactly("mine-1.0.0.jar");
    }

    @Test
    void aFileThatIsRefusedChangesNothing() throws Exception {
        success(node.plugins().install(mine("1.0.0")));
        Path other = jars.store("org.example.other", "1.0.0", "mine").pack("other.jar");

        assertThat(failure(node.plugins().install(mine("2.0.0"))))
                .startsWith(
                        "The plugin " + MINE + " is installed already. To replace it: felice:plugin-upgrade " + MINE);
        assertThat(failure(node.plugins().install(other)))
                .startsWith("other.jar is left out: It provides the credential store mine, which the plugin " + MINE
                        + " 1.0.0 provides already.");
        assertThat(failure(node.plugins().upgrade(MINE, other)))
                .isEqualTo("other.jar is the plugin org.example.other, not " + MINE + ". Nothing was done.");
        assertThat(failure(node.plugins().rollback(MINE)))
                .isEqualTo("No other version of the plugin " + MINE + " is kept.");
        assertThat(files()).containsExactly("mine-1.0.0.jar");
    }

    @Test
    void aChecksumBesideTheFileMustFit() throws Exception {
        Path file = mine("1.0.0");
        Path checksum = node.directory().resolve("mine-1.0.0.jar.sha256");
        Files.writeString(checksum, "0".repeat(64) + "  mine-1.0.0.jar\n");
        PluginJars.drop(file, node.directory());
        node.await(MINE, "left out: Its checksum is not that of mine-1.0.0.jar.sha256");

        Files.writeString(checksum, ArchiveReader.sha256(file) + "  mine-1.0.0.jar\n");

        node.await(MINE, "runs");
    }

    @Test
    void aSignatureIsShownAndCanBeRequired() throws Exception {
        Path certificate = directory.resolve("signer.pem");
        Path signed = signed(mine("1.0.0"), certificate);
        node.stop();
        node.with("trusted_certificates", certificate.toString())
                .with("signature_required", true)
                .start();

        assertThat(failure(node.plugins().install(mine("2.0.0"))))
                .isEqualTo("mine-2.0.0.jar is left out: It is not signed, and signature.required of"
                        + " etc/io.felice.plugins.cfg is true.");
        success(node.plugins().install(signed));
        assertThat(node.plugin(MINE).orElseThrow().signer()).isEqualTo("signed by CN=Example");

        node.stop();
        node.with("trusted_certificates", "").start();
        node.awaitFile("mine-1.0.0.jar", "left out: It is signed by somebody who is not trusted here");
    }

    @Test
    void aFileThatWasChangedAfterItWasSignedIsRefused() throws Exception {
        Path signed = signed(mine("1.0.0"), directory.resolve("signer.pem"));
        try (var jar = java.nio.file.FileSystems.newFileSystem(signed)) {
            Files.writeString(jar.getPath("org/example/Store.class"), "other code");
        }

        assertThat(failure(node.plugins().install(signed)))
                .startsWith("mine-1.0.0.jar is left out: It was changed after it was signed.");
    }

    /** Signs a jar with a key of {@code CN=Example}, and writes the certificate. */
    private Path signed(Path jar, Path certificate) throws Exception {
        String store = directory.resolve("keys.p12").toString();
        String[] access = {"-keystore", store, "-storepass", "secret"};
        tool("keytool", access, "-genkeypair", "-alias", "a", "-keyalg", "EC", "-dname", "CN=Example");
        tool("keytool", access, "-exportcert", "-rfc", "-alias", "a", "-file", certificate.toString());
        tool("jarsigner", access, jar.toString(), "a");
        return jar;
    }

    private static void tool(String name, String[] access, String... arguments) throws Exception {
        List<String> command = new java.util.ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", name).toString());
        if (name.equals("keytool")) {
            command.addAll(List.of(arguments));
            command.addAll(List.of(access));
        } else {
            command.addAll(List.of(access));
            command.addAll(List.of(arguments));
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(output).isZero();
    }
}
