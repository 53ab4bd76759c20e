package io.felice.itests.inside;

import static java.util.stream.Collectors.toCollection;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.BrokerRegistration.Endpoint;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.Endpoints;
import io.felice.api.config.BrokerConfig;
import io.felice.api.config.Configs;
import io.felice.api.group.Groups;
import io.felice.api.partition.Partitions;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn;
import io.felice.api.storage.StorageEngine;
import io.felice.protocol.Apis;
import io.felice.protocol.RequestHandler;
import io.felice.protocol.ServedApis;
import io.felice.protocol.Serves;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.apache.kafka.common.errors.RetriableException;
import org.junit.After;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.ops4j.pax.exam.util.Filter;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;

/** This class runs as a bundle in the distribution, and checks what is not visible from outside. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class InsideTest {
    private static final long PATIENCE_MS = 120_000;

    /**
     * Prefixes of classes that embedded libraries refer to but that a node does not contain, each with the reason.
     */
    private static final Map<String, String> LEFT_OUT = Map.of(
            "com.fasterxml.jackson.", "Kafka's messages as JSON, which only Kafka's own tools write",
            "io.netty.channel.epoll.", "ZooKeeper loads it only if its connections use Netty, which Felice's do not",
            "io.felice.api.config.BrokerConfig",
                    "the compiler copies its constants into network's class, which never loads it",
            "javax.servlet.", "only ZooKeeper's admin server uses it, which no node starts",
            "org.apache.commons.io.",
                    "only a ZooKeeper quorum with an oracle uses it, and the embedded server has no quorum");

    @Inject
    private BundleContext context;

    @Inject
    private ServiceComponentRuntime runtime;

    /** Pax Exam injects this service when the broker serves clients. */
    @Inject
    @Filter(timeout = PATIENCE_MS)
    private Partitions partitions;

    @Inject
    @Filter(timeout = PATIENCE_MS)
    private Endpoints endpoints;

    private Bundle engine;

    @Configuration
    public Option[] distribution() {
        return new Option[] {Distribution.asBuilt()};
    }

    @Test
    public void everyBundleIsActiveAndEveryComponentSatisfied() throws Exception {
        assertTrue(components().anyMatch(component -> component.name.equals("io.felice.broker.Broker")));

        eventually(() -> assertEquals(List.of(), bundlesThatAreNotActive()));
        eventually(() -> assertEquals(List.of(), componentsThatAreNotSatisfied()));
    }

    @Test
    public void theServicesForOtherBundlesAreRegistered() throws Exception {
        for (Class<?> service : List.of(
                Admin.class,
                ClusterMetadata.class,
                ClusterStore.class,
                Configs.class,
                Endpoints.class,
                Groups.class,
                Partitions.class)) {
            eventually(() -> assertEquals(
                    service.getName(),
                    1,
                    context.getServiceReferences(service, null).size()));
        }
        eventually(() -> assertEquals(
                new TreeSet<>(Set.of("log", "memory", "mvstore")),
                properties(StorageEngine.class, StorageEngine.NAME)));
        eventually(() -> assertEquals(apisThatAreServed(), properties(RequestHandler.class, Serves.PREFIX_ + "key")));
        eventually(() -> assertTrue(
                tables().keySet().toString(),
                tables().keySet()
                        .containsAll(Set.of(
                                "broker.partitions",
                                "cluster",
                                "controller",
                                "coordinator.groups",
                                "network.requests",
                                "storage.log"))));
    }

    @Test
    public void everySettingAndEveryNumberOfTheDocumentedLimitsExists() throws Exception {
        List<DocumentedLimit> limits = DocumentedLimit.all();
        assertTrue(limits.toString(), limits.size() > 25);
        Set<String> settings = settings();

        for (DocumentedLimit limit : limits) {
            assertTrue(limit + ": no such setting in " + settings, settings.containsAll(limit.settings()));
            eventually(() -> assertTrue(limit + ": no such number", isShown(limit.number())));
        }
    }

    @Test
    public void noTwoMetricsHaveTheSameName() throws Exception {
        List<String> metrics = new ArrayList<>();
        for (StatusTable table : tables().values()) {
            for (TableColumn column : table.schema().columns()) {
                if (column.kind() != TableColumn.Kind.LABEL && column.kind() != TableColumn.Kind.TEXT) {
                    metrics.add(table.schema().metric(column));
                }
            }
        }

        assertTrue(metrics.toString(), metrics.contains("felice_network_requests_requests_total"));
        assertEquals(new TreeSet<>(metrics).size(), metrics.size());
    }

    /** The keys of the files in etc, and the broker's keys. */
    private static Set<String> settings() throws IOException {
        Set<String> settings = new TreeSet<>(BrokerConfig.KEYS.keySet());
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(Path.of(System.getProperty("karaf.etc")), "io.felice.*.cfg")) {
            for (Path file : files) {
                Files.readAllLines(file).stream()
                        .filter(line -> line.matches("[a-z.]+ ?=.*"))
                        .forEach(line -> settings.add(
                                line.substring(0, line.indexOf('=')).trim()));
            }
        }
        return settings;
    }

    /** @param number table, row and column */
    private boolean isShown(List<String> number) throws Exception {
        StatusTable table = tables().get(number.get(0));
        if (table == null) {
            return false;
        } else if (number.get(1).equals("*")) {
            return table.value(number.get(2)).isPresent();
        }
        return table.cell(number.get(1), number.get(2)).isPresent();
    }

    @Test
    public void aKafkaClientSetsAndRemovesTheLevelOfALogger() throws Exception {
        Client client = new Client(bootstrap());
        String logger = "io.felice.itests.levels";

        client.setLevel(logger, "TRACE");

        eventually(() -> assertEquals("TRACE", client.levels().get(logger)));
        assertTrue(client.levels().toString(), client.levels().containsKey("root"));

        client.removeLevel(logger);

        eventually(() -> assertEquals(null, client.levels().get(logger)));
    }

    @Test
    public void aStorageEngineOfAThirdPartyIsInstalledAndUninstalledWhileTheBrokerRuns() throws Exception {
        ServiceReference<Partitions> broker = context.getServiceReference(Partitions.class);
        Client client = new Client(bootstrap());
        engine = context.installBundle(
                "third-party", ThirdPartyBundle.jar(context.getBundle(), bundle("io.felice.storage.memory")));
        engine.start();
        eventually(() -> client.create("theirs", ThirdParty.ENGINE));
        client.create("ours", "log");
        client.send("theirs", "one");
        client.send("ours", "one");

        engine.stop();

        ExecutionException refused = assertThrows(ExecutionException.class, () -> client.send("theirs", "refused"));
        assertTrue(refused.toString(), refused.getCause() instanceof RetriableException);
        eventually(() -> assertEquals(
                Optional.of(ThirdParty.ENGINE), tables().get("broker.offline").cell("theirs-0", "engine")));
        client.send("ours", "two");

        engine.start();

        eventually(() -> client.send("theirs", "two"));
        assertEquals(List.of("one", "two"), client.read("theirs"));
        assertEquals(List.of("one", "two"), client.read("ours"));
        assertSame("the broker was not restarted", broker, context.getServiceReference(Partitions.class));
    }

    @Test
    public void everyClassThatFelicesCodeCanReachIsFoundByItsBundle() throws Exception {
        Map<String, Set<String>> missing = new TreeMap<>();
        Set<String> leftOut = new TreeSet<>();
        for (Bundle bundle : bundles().toList()) {
            References.missing(bundle).forEach((name, users) -> {
                Optional<String> reason =
                        LEFT_OUT.keySet().stream().filter(name::startsWith).findFirst();
                reason.ifPresentOrElse(leftOut::add, () -> missing.put(bundle.getSymbolicName() + ": " + name, users));
            });
        }

        assertEquals(Map.of(), missing);
        assertEquals("the missing classes of LEFT_OUT", LEFT_OUT.keySet(), leftOut);
    }

    @After
    public void uninstallTheEngine() throws BundleException {
        if (engine != null) {
            engine.uninstall();
        }
    }

    private List<Bundle> bundlesThatAreNotActive() {
        return bundles().filter(bundle -> bundle.getState() != Bundle.ACTIVE).toList();
    }

    private List<String> componentsThatAreNotSatisfied() {
        return components()
                .filter(component -> {
                    var configurations = runtime.getComponentConfigurationDTOs(component);
                    return configurations.isEmpty() || !configurations.stream().allMatch(InsideTest::isSatisfied);
                })
                .map(component -> component.name)
                .toList();
    }

    /** True if the component is active, or satisfied and activated with the first use of its service. */
    private static boolean isSatisfied(ComponentConfigurationDTO component) {
        return component.state == ComponentConfigurationDTO.ACTIVE
                || component.state == ComponentConfigurationDTO.SATISFIED;
    }

    private Stream<ComponentDescriptionDTO> components() {
        return runtime.getComponentDescriptionDTOs(bundles().toArray(Bundle[]::new)).stream();
    }

    private Stream<Bundle> bundles() {
        return Arrays.stream(context.getBundles())
                .filter(bundle -> bundle.getSymbolicName().startsWith("io.felice."));
    }

    private Bundle bundle(String name) {
        return bundles()
                .filter(bundle -> bundle.getSymbolicName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** The values of a property of all services of this type, as text. */
    private Set<String> properties(Class<?> service, String property) throws Exception {
        return context.getServiceReferences(service, null).stream()
                .map(reference -> String.valueOf(reference.getProperty(property)))
                .collect(toCollection(TreeSet::new));
    }

    /** Those that clients are told, and those that only brokers send. */
    private Set<String> apisThatAreServed() {
        Stream<Short> ofClients = context.getService(context.getServiceReference(ServedApis.class)).ranges().stream()
                .map(range -> range.key());
        Stream<Short> ofBrokers =
                Apis.all().stream().filter(api -> api.ofBrokers()).map(api -> api.key());
        return Stream.concat(ofClients, ofBrokers).map(String::valueOf).collect(toCollection(TreeSet::new));
    }

    /** The status tables that {@code felice:status} shows, by name. */
    private Map<String, StatusTable> tables() throws Exception {
        Map<String, StatusTable> tables = new TreeMap<>();
        for (ServiceReference<StatusSource> source : context.getServiceReferences(StatusSource.class, null)) {
            context.getService(source).tables().forEach(table -> tables.put(table.name(), table));
        }
        return tables;
    }

    private String bootstrap() {
        Endpoint endpoint = endpoints.endpoints().get(0);
        return endpoint.host() + ":" + endpoint.port();
    }

    /** A condition that may become true later. */
    interface Claim {
        void check() throws Exception;
    }

    static void eventually(Claim claim) throws Exception {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MS);
        while (true) {
            try {
                claim.check();
                return;
            } catch (AssertionError | ExecutionException notYet) {
                if (System.nanoTime() > end) {
                    throw notYet;
                }
            }
            Thread.sleep(200);
        }
    }
}
