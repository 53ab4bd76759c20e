package io.felice.itests.inside;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.ops4j.pax.exam.CoreOptions.composite;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.configureConsole;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.doNotModifyLogConfiguration;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.editConfigurationFilePut;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.karafDistributionConfiguration;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.keepRuntimeFolder;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.inject.Inject;
import org.apache.karaf.features.FeaturesService;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.CoreOptions;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.options.extra.EnvironmentOption;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/**
 * This class runs as a bundle in Apache Karaf as it is downloaded. It does what an operator does in Karaf's shell:
 * {@code feature:repo-add} and {@code feature:install felice}. {@link StockKarafTest} runs it.
 *
 * <p>It names no class of Felice, because there is none when it is loaded.
 */
@RunWith(PaxExam.class)
public class StockKaraf {
    static final Path TARGET = Path.of(System.getProperty("felice.target", "target"));
    static final Path UNPACKED = TARGET.resolve("exam-stock");
    static final String PORT = "felice.stock.port";
    static final String TOPIC = "greetings";

    @Inject
    private BundleContext context;

    @Inject
    private FeaturesService features;

    @Configuration
    public Option[] karaf() {
        return new Option[] {
            karafDistributionConfiguration()
                    .frameworkUrl(Path.of(System.getProperty("felice.stock.karaf"))
                            .toUri()
                            .toString())
                    .karafVersion(System.getProperty("felice.karaf.version"))
                    .name("Apache Karaf")
                    .unpackDirectory(UNPACKED.toFile())
                    .useDeployFolder(false),
            configureConsole().ignoreLocalConsole().ignoreRemoteShell(),
            doNotModifyLogConfiguration(),
            keepRuntimeFolder(),
            repositories(),
            passedOn("felice.version"),
            passedOn(PORT),
            onFreePorts(),
            Distribution.java()
        };
    }

    /** The distribution's directory system is a Maven repository that has all that the feature needs. */
    private static Option repositories() {
        String system =
                Path.of(System.getProperty("felice.system")).normalize().toUri().toString();
        return composite(
                editConfigurationFilePut("etc/org.ops4j.pax.url.mvn.cfg", "org.ops4j.pax.url.mvn.repositories", ""),
                editConfigurationFilePut(
                        "etc/org.ops4j.pax.url.mvn.cfg",
                        "org.ops4j.pax.url.mvn.localRepository",
                        TARGET.resolve("no-local-repository").toString()),
                editConfigurationFilePut(
                        "etc/org.ops4j.pax.url.mvn.cfg",
                        "org.ops4j.pax.url.mvn.defaultRepositories",
                        "${karaf.home.uri}${karaf.default.repository}@id=system.repository@snapshots," + system
                                + "@id=felice@snapshots,"
                                + TARGET.resolve("exam-repository").toUri()
                                + "@id=exam@snapshots"));
    }

    private static Option passedOn(String property) {
        return CoreOptions.systemProperty(property).value(System.getProperty(property));
    }

    private static Option onFreePorts() {
        return composite(
                new EnvironmentOption("FELICE_PORT=" + System.getProperty(PORT)),
                new EnvironmentOption("FELICE_ZOOKEEPER_PORT=0"),
                new EnvironmentOption("FELICE_CONSOLE_PORT=0"),
                editConfigurationFilePut("etc/org.apache.karaf.shell.cfg", "sshPort", "0"),
                editConfigurationFilePut("etc/org.apache.karaf.management.cfg", "rmiRegistryPort", "0"),
                editConfigurationFilePut("etc/org.apache.karaf.management.cfg", "rmiServerPort", "0"));
    }

    @Test
    public void installsTheNodeFromItsFeature() throws Exception {
        features.addRepository(
                URI.create("mvn:io.felice/features/" + System.getProperty("felice.version") + "/xml/features"));
        features.installFeature("felice");

        Client client = new Client("127.0.0.1:" + System.getProperty(PORT));
        InsideTest.eventually(() -> client.create(TOPIC, "log"));
        client.send(TOPIC, "one");

        assertEquals(List.of("one"), client.read(TOPIC));
        assertEquals(
                List.of(),
                Arrays.stream(context.getBundles())
                        .filter(bundle -> bundle.getState() != Bundle.ACTIVE && bundle.getState() != Bundle.RESOLVED)
                        .toList());
        Path base = Path.of(System.getProperty("karaf.base"));
        assertTrue(Files.readString(base.resolve("etc/io.felice.storage.log.cfg"))
                .contains("# The directory of the logs"));
        assertTrue(Files.isDirectory(base.resolve("felice/topics/" + TOPIC + "-0")));
    }
}
