package io.felice.itests.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Who may know whom: the table of ARCHITECTURE.md, read from the manifests of the built bundles. */
class EdgesTest {

    /** What each bundle may import of ours; {@code .*} means the package and all below it. */
    private static final Map<String, Set<String>> OURS = Map.ofEntries(
            Map.entry("api", Set.of()),
            Map.entry("config", Set.of("io.felice.api.*")),
            Map.entry("protocol", Set.of("io.felice.api.*")),
            Map.entry("network", Set.of("io.felice.api.*", "io.felice.protocol")),
            Map.entry("handlers", Set.of("io.felice.api.*", "io.felice.protocol")),
            Map.entry("broker", Set.of("io.felice.api.*", "io.felice.records")),
            Map.entry("controller", Set.of("io.felice.api.*")),
            Map.entry("coordinator", Set.of("io.felice.api.*", "io.felice.records")),
            Map.entry("storage-log", Set.of("io.felice.api.*")),
            Map.entry("storage-memory", Set.of("io.felice.api.*")),
            Map.entry("zookeeper", Set.of("io.felice.api.*")),
            Map.entry("cluster-zookeeper", Set.of("io.felice.api.*", "io.felice.zookeeper")),
            Map.entry("shell", Set.of("io.felice.api.*")));

    /** The bundles that may import a third party's packages; everything of a name is one technology. */
    private static final Map<String, Set<String>> THEIRS = Map.ofEntries(
            Map.entry("org.apache.mina.*", Set.of("network")),
            Map.entry("org.apache.zookeeper.*", Set.of("zookeeper", "cluster-zookeeper")),
            Map.entry("org.apache.jute.*", Set.of("zookeeper", "cluster-zookeeper")),
            Map.entry("org.apache.kafka.*", Set.of("protocol", "handlers", "network")),
            Map.entry("net.jpountz.*", Set.of("protocol")),
            Map.entry("com.github.luben.zstd.*", Set.of("protocol")),
            // ZooKeeper's server loads it with its first snapshot.
            Map.entry("org.xerial.snappy.*", Set.of("protocol", "zookeeper")),
            Map.entry("io.netty.*", Set.of("zookeeper")),
            Map.entry("com.codahale.metrics.*", Set.of("zookeeper")),
            Map.entry("org.apache.karaf.*", Set.of("shell")),
            Map.entry("org.jline.*", Set.of("shell")));

    /** The platform, for everyone. */
    private static final List<String> PLATFORM =
            List.of("org.slf4j.*", "org.osgi.*", "javax.*", "org.w3c.dom.*", "org.xml.sax.*", "org.ietf.jgss");

    private static final Set<String> EXPORTERS = Set.of("api", "protocol", "zookeeper");

    static List<Bundle> bundles() {
        return Bundle.all();
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void importsOnlyThoseOfOursThatItMayKnow(Bundle bundle) {
        Set<String> allowed = OURS.get(bundle.name());

        assertThat(allowed)
                .as(
                        "%s is not in the table of edges: add it to ARCHITECTURE.md and to EdgesTest, with what it may import",
                        bundle)
                .isNotNull();
        assertThat(startingWith("io.felice.", bundle.imports()))
                .as("%s may import of ours only %s: move the code, or go through an interface in api", bundle, allowed)
                .allMatch(imported -> matchesAny(allowed, imported));
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void keepsEachTechnologyInItsBundle(Bundle bundle) {
        Set<String> astray = new TreeSet<>();
        for (String imported : bundle.imports()) {
            if (!imported.startsWith("io.felice.") && !matchesAny(PLATFORM, imported) && !mayImport(bundle, imported)) {
                astray.add(imported);
            }
        }

        assertThat(astray)
                .as(
                        "%s imports another bundle's technology: hide it behind the bundle that owns it (EdgesTest.THEIRS)",
                        bundle)
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void exportsPackagesOnlyIfOthersAreMeantToCompileAgainstIt(Bundle bundle) {
        if (!EXPORTERS.contains(bundle.name())) {
            assertThat(bundle.exports())
                    .as("%s offers services, not packages: take @Export off; only %s export", bundle, EXPORTERS)
                    .isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void isWiredByPackagesThatAreNamedAndNeeded(Bundle bundle) {
        assertThat(bundle.header("Require-Bundle"))
                .as("%s: no Require-Bundle, import packages", bundle)
                .isEmpty();
        assertThat(bundle.header("DynamicImport-Package"))
                .as("%s: no DynamicImport-Package, it wires whatever comes along", bundle)
                .isEmpty();
        assertThat(optional(bundle))
                .as(
                        "%s: an optional import drags this bundle into the refresh of whoever exports it; need it, or exclude it",
                        bundle)
                .allMatch(imported -> matchesAny(List.of("javax.*", "org.ietf.jgss"), imported));
    }

    private static Set<String> optional(Bundle bundle) {
        return bundle.clauses("Import-Package").entrySet().stream()
                .filter(clause -> "optional".equals(clause.getValue().get("resolution:")))
                .map(Map.Entry::getKey)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static boolean mayImport(Bundle bundle, String imported) {
        return THEIRS.entrySet().stream()
                .anyMatch(technology -> matches(technology.getKey(), imported)
                        && technology.getValue().contains(bundle.name()));
    }

    private static Set<String> startingWith(String prefix, Set<String> packages) {
        return packages.stream().filter(name -> name.startsWith(prefix)).collect(Collectors.toCollection(TreeSet::new));
    }

    private static boolean matchesAny(Iterable<String> patterns, String name) {
        for (String pattern : patterns) {
            if (matches(pattern, name)) {
                return true;
            }
        }
        return false;
    }

    private static boolean matches(String pattern, String name) {
        if (!pattern.endsWith(".*")) {
            return pattern.equals(name);
        }
        String parent = pattern.substring(0, pattern.length() - 2);
        return name.equals(parent) || name.startsWith(parent + ".");
    }
}
