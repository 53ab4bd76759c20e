package io.felice.itests.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Bundles import only what the table of ARCHITECTURE.md allows. They export only the intended packages. */
class EdgesTest {

    private static final EdgeTable TABLE = EdgeTable.read();

    /** Packages of the platform, which every bundle may import. */
    private static final List<String> PLATFORM =
            List.of("org.slf4j.*", "org.osgi.*", "javax.*", "org.w3c.dom.*", "org.xml.sax.*", "org.ietf.jgss");

    private static final Set<String> EXPORTERS = Set.of("api", "protocol", "zookeeper");

    static List<Bundle> bundles() {
        return Bundle.all();
    }

    @Test
    void theTableHasARowForEachBundleAndForNothingElse() {
        List<String> names = bundles().stream().map(Bundle::name).toList();

        assertThat(TABLE.rows().keySet())
                .as("the table of ARCHITECTURE.md has one row for each directory of bundles/ that has code")
                .containsExactlyInAnyOrderElementsOf(names);
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void importsOnlyWhatTheTableAllows(Bundle bundle) {
        EdgeTable.Row row = TABLE.row(bundle).orElseThrow();

        assertThat(bundle.imports())
                .as(
                        "%s may import only %s and the platform: move the code, go through an interface in api, or hide the library behind the bundle that owns it",
                        bundle, row)
                .allMatch(imported -> matchesAny(PLATFORM, imported) || row.allows(imported));
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void importsSomethingOfEachPatternThatTheTableAllows(Bundle bundle) {
        EdgeTable.Row row = TABLE.row(bundle).orElseThrow();
        Set<String> imports = bundle.imports();

        List<String> unused = Stream.concat(row.ours().stream(), row.theirs().stream())
                .filter(pattern -> imports.stream().noneMatch(imported -> EdgeTable.matches(pattern, imported)))
                .toList();

        assertThat(unused)
                .as("%s imports none of these: take them out of its row in ARCHITECTURE.md", bundle)
                .isEmpty();
    }

    @Test
    void aRowIsReadFromItsBackquotes() {
        EdgeTable table = EdgeTable.parse(List.of(
                "text",
                "| bundle | may import of ours | may import of others |",
                "| --- | --- | --- |",
                "| a | api, `io.felice.b` | `org.c.*` (see), `org.d`, from b |",
                "| e | | |",
                "",
                "| f | api | |"));

        assertThat(table.rows())
                .containsOnlyKeys("a", "e")
                .containsEntry(
                        "a", new EdgeTable.Row(List.of("io.felice.api.*", "io.felice.b"), List.of("org.c.*", "org.d")))
                .containsEntry("e", new EdgeTable.Row(List.of(), List.of()));
        assertThat(table.rows().get("a").allows("io.felice.api.status")).isTrue();
        assertThat(table.rows().get("a").allows("io.felice.bc")).isFalse();
        assertThat(table.rows().get("a").allows("org.d.e")).isFalse();
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

    private static boolean matchesAny(Iterable<String> patterns, String name) {
        for (String pattern : patterns) {
            if (EdgeTable.matches(pattern, name)) {
                return true;
            }
        }
        return false;
    }
}
