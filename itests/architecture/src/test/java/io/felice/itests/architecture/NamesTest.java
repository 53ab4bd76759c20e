package io.felice.itests.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Bundles have one name everywhere, class names say something, and every package and class has a sentence of Javadoc.
 */
class NamesTest {

    private static final Pattern EMPTY_WORD = Pattern.compile(
            "(^|.*[a-z0-9])(Impl|Utils?|Utilities|Managers?|Helpers?|Abstract)([A-Z0-9].*|$)|^I[A-Z][a-z].*");

    private static final Pattern SENTENCE = Pattern.compile("/\\*\\*.*?[.!:?].*?\\*/", Pattern.DOTALL);

    private static final Pattern PACKAGE = Pattern.compile("^package ", Pattern.MULTILINE);

    private static final Set<String> ONE_MEANING = Set.of("package-info");

    static List<Bundle> bundles() {
        return Bundle.all();
    }

    @Test
    void noTwoClassesHaveTheSameName() {
        Map<String, List<String>> repeated = directoriesByClassName();
        repeated.values().removeIf(directories -> directories.size() == 1);
        repeated.keySet().removeAll(ONE_MEANING);

        assertThat(repeated)
                .as("a class name means one thing in the whole repository: rename all but one class of each name")
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void hasTheOneNameOfItsDirectory(Bundle bundle) {
        assertThat(bundle.header("Bundle-SymbolicName"))
                .as("%s: a module with a bnd.bnd of its own must say Bundle-SymbolicName there", bundle)
                .isEqualTo(bundle.symbolicName());
        assertThat(bundle.jar().getFileName().toString())
                .as("%s: the artifactId in its pom", bundle)
                .startsWith(bundle.symbolicName() + "-");
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void keepsItsCodeUnderItsOwnName(Bundle bundle) {
        Set<String> astray = new TreeSet<>();
        for (String file : bundle.ownClasses()) {
            String packageName = file.substring(0, file.lastIndexOf('/')).replace('/', '.');
            if (!isBelow(bundle.symbolicName(), packageName) && !isRecords(bundle, packageName)) {
                astray.add(packageName);
            }
        }

        assertThat(astray)
                .as("%s: its packages begin with %s", bundle, bundle.symbolicName())
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void namesItsClassesAfterWhatTheyAre(Bundle bundle) {
        List<String> empty = bundle.ownClasses().stream()
                .map(file -> file.substring(file.lastIndexOf('/') + 1, file.length() - ".class".length()))
                .filter(name -> EMPTY_WORD
                        .matcher(name.substring(name.lastIndexOf('$') + 1))
                        .matches())
                .toList();

        assertThat(empty)
                .as("%s: no Impl, Util, Manager, Helper, Abstract or I...: say what it is or how it does it", bundle)
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void describesEachPackageInASentence(Bundle bundle) throws IOException {
        Set<Path> silent = new TreeSet<>();
        for (Path source : bundle.sources()) {
            Path description = source.resolveSibling("package-info.java");
            if (!Files.exists(description) || !isDescribed(description, PACKAGE)) {
                silent.add(Bundle.root().relativize(description));
            }
        }

        assertThat(silent)
                .as("write a package-info.java with a sentence of Javadoc")
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void describesEachClassInASentence(Bundle bundle) throws IOException {
        Set<Path> silent = new TreeSet<>();
        for (Path source : bundle.sources()) {
            if (!isDescribed(source, declarationOf(source))) {
                silent.add(Bundle.root().relativize(source));
            }
        }

        assertThat(silent).as("put a sentence of Javadoc above the class").isEmpty();
    }

    /**
     * The class names in the main code of all modules, each with the directories that have a source file of that name.
     */
    private static Map<String, List<String>> directoriesByClassName() {
        return Stream.of("bundles", "cli", "distribution", "plugins-sdk", "itests")
                .flatMap(directory -> javaFiles(Bundle.root().resolve(directory)))
                .filter(source -> source.toString().contains("/src/main/java/"))
                .filter(source -> !Bundle.root().relativize(source).toString().contains("/target/"))
                .collect(Collectors.groupingBy(
                        source -> source.getFileName().toString().replace(".java", ""),
                        TreeMap::new,
                        Collectors.mapping(source -> source.getParent().toString(), Collectors.toList())));
    }

    private static Stream<Path> javaFiles(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isDescribed(Path source, Pattern declaration) throws IOException {
        String text = Files.readString(source);
        int end = declaration
                .matcher(text)
                .results()
                .findFirst()
                .map(MatchResult::start)
                .orElse(text.length());
        return SENTENCE.matcher(text.substring(0, end)).find();
    }

    private static Pattern declarationOf(Path source) {
        String name = source.getFileName().toString().replace(".java", "");
        return name.equals("package-info")
                ? PACKAGE
                : Pattern.compile("^[a-z -]*(class|@?interface|record|enum) " + name + "\\b", Pattern.MULTILINE);
    }

    private static boolean isBelow(String parent, String name) {
        return name.equals(parent) || name.startsWith(parent + ".");
    }

    /**
     * Whether the package is a part of {@code io.felice.records}. The bundle protocol exports this package apart from
     * the messages, so that storage engines see only record batches.
     */
    private static boolean isRecords(Bundle bundle, String packageName) {
        return bundle.name().equals("protocol") && isBelow("io.felice.records", packageName);
    }
}
