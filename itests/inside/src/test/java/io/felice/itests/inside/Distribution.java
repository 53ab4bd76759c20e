package io.felice.itests.inside;

import static org.ops4j.pax.exam.CoreOptions.composite;
import static org.ops4j.pax.exam.CoreOptions.systemTimeout;
import static org.ops4j.pax.exam.CoreOptions.vmOption;
import static org.ops4j.pax.exam.CoreOptions.vmOptions;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.configureConsole;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.doNotModifyLogConfiguration;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.editConfigurationFilePut;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.karafDistributionConfiguration;

import java.nio.file.Path;
import org.ops4j.pax.exam.Option;

/** The built archive, started by Pax Exam with the options of {@code bin/felice}, but on free ports. */
final class Distribution {
    private static final Path TARGET = Path.of(System.getProperty("felice.target", "target"));
    private static final String KARAF = System.getProperty("felice.karaf.version");
    private static final long START_MS = 120_000;

    private Distribution() {}

    static Option asBuilt() {
        return composite(
                karafDistributionConfiguration()
                        .frameworkUrl(Path.of(System.getProperty("felice.archive"))
                                .normalize()
                                .toUri()
                                .toString())
                        .karafVersion(KARAF)
                        .name("Felice")
                        .unpackDirectory(TARGET.resolve("exam").toFile())
                        .useDeployFolder(false),
                configureConsole().ignoreLocalConsole().ignoreRemoteShell(),
                doNotModifyLogConfiguration(),
                editConfigurationFilePut(
                        "etc/org.ops4j.pax.logging.cfg",
                        "log4j2.appender.file.fileName",
                        TARGET.resolve("felice.log").toString()),
                systemTimeout(START_MS),
                onFreePorts(),
                withTheExamsBundles(),
                vmOption("-Dfelice.data=data/felice"),
                java());
    }

    private static Option onFreePorts() {
        return composite(
                editConfigurationFilePut("etc/io.felice.network.cfg", "listeners", "PLAINTEXT://127.0.0.1:0"),
                editConfigurationFilePut("etc/io.felice.zookeeper.cfg", "port", "0"));
    }

    private static Option withTheExamsBundles() {
        return editConfigurationFilePut(
                "etc/org.ops4j.pax.url.mvn.cfg",
                "org.ops4j.pax.url.mvn.defaultRepositories",
                "${karaf.home.uri}${karaf.default.repository}@id=system.repository@snapshots,"
                        + TARGET.resolve("exam-repository").toUri() + "@id=exam@snapshots");
    }

    /**
     * Relative paths are below the directory of the unpacked archive, which is the working directory of the process.
     */
    static Option java() {
        return composite(
                vmOptions(
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "--add-opens=java.base/java.security=ALL-UNNAMED",
                        "--add-opens=java.base/java.net=ALL-UNNAMED",
                        "--add-opens=java.base/java.lang=ALL-UNNAMED",
                        "--add-opens=java.base/java.util=ALL-UNNAMED",
                        "--add-opens=java.naming/javax.naming.spi=ALL-UNNAMED",
                        "--add-opens=java.rmi/sun.rmi.transport.tcp=ALL-UNNAMED",
                        "--add-exports=java.base/sun.net.www.protocol.file=ALL-UNNAMED",
                        "--add-exports=java.base/sun.net.www.protocol.http=ALL-UNNAMED",
                        "--add-exports=java.base/sun.net.www.protocol.https=ALL-UNNAMED",
                        "--add-exports=java.base/sun.net.www.protocol.jar=ALL-UNNAMED"),
                // Karaf's access control needs the security manager up to Java 23. From Java 24 on, Java does not start
                // with this option.
                Runtime.version().feature() < 24 ? vmOption("-Djava.security.manager=allow") : composite(),
                vmOptions(
                        "-classpath",
                        "lib/jdk9plus/*:lib/boot/*:lib/endorsed/org.apache.karaf.specs.locator-" + KARAF + ".jar"));
    }
}
