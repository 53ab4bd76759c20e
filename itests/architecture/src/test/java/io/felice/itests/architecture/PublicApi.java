package io.felice.itests.architecture;

import aQute.bnd.differ.Baseline;
import aQute.bnd.differ.DiffPluginImpl;
import aQute.bnd.header.Parameters;
import aQute.bnd.osgi.EmbeddedResource;
import aQute.bnd.osgi.Instructions;
import aQute.bnd.osgi.Jar;
import aQute.bnd.osgi.Processor;
import aQute.bnd.osgi.Resource;
import aQute.bnd.service.diff.Diff;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * The exported classes of Felice that code of others is compiled against, of a jar that was built or of one in {@code
 * plugins-sdk/baseline}. A jar there has the classes without their code.
 */
record PublicApi(String name, Path built) {
    private static final String TESTKIT = "io.felice.testkit";
    private static final String OURS = "io/felice/";

    static List<PublicApi> all() {
        List<PublicApi> all = new ArrayList<>();
        for (Bundle bundle : Bundle.all()) {
            if (List.of("api", "protocol").contains(bundle.name())) {
                all.add(new PublicApi(bundle.symbolicName(), bundle.jar()));
            }
        }
        all.add(new PublicApi(TESTKIT, testkit()));
        return all;
    }

    private static Path testkit() {
        Path target = Bundle.root().resolve("plugins-sdk/testkit/target");
        try (Stream<Path> files = Files.list(target)) {
            return files.filter(file -> file.getFileName().toString().matches(TESTKIT + "-[0-9.]+(-SNAPSHOT)?\\.jar"))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("build plugins-sdk/testkit first"));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private Path baseline() {
        return Bundle.root().resolve("plugins-sdk/baseline").resolve(name + ".jar");
    }

    /** Replaces the jar in {@code plugins-sdk/baseline} by what was built. */
    void renewBaseline() throws Exception {
        Files.createDirectories(baseline().getParent());
        try (Jar jar = read(built, UnaryOperator.identity())) {
            jar.setReproducible("1980-02-01T00:00:00Z");
            jar.write(baseline().toFile());
        }
    }

    /** What is wrong with the built jar: a sentence for each package that has changed more than its version says. */
    List<String> findings() throws Exception {
        return findings(UnaryOperator.identity());
    }

    /** @param change changes the classes of the built jar before they are compared */
    List<String> findings(UnaryOperator<byte[]> change) throws Exception {
        try (Processor processor = new Processor();
                Jar older = new Jar(baseline().toFile());
                Jar newer = read(built, change)) {
            Baseline comparison = new Baseline(processor, new DiffPluginImpl());
            List<String> findings = new ArrayList<>();
            for (Baseline.Info info : comparison.baseline(newer, older, new Instructions("*"))) {
                if (info.mismatch) {
                    findings.add(name + ": the package " + info.packageName + " has a change that is "
                            + info.packageDiff.getDelta().toString().toLowerCase(Locale.ROOT)
                            + ", so its version has to"
                            + " be " + info.suggestedVersion + ", not " + info.newerVersion + ": "
                            + String.join("; ", changes(info.packageDiff, "")));
                }
            }
            return findings;
        }
    }

    private static List<String> changes(Diff diff, String in) {
        List<String> changes = new ArrayList<>();
        for (Diff child : diff.getChildren()) {
            switch (child.getDelta()) {
                case UNCHANGED, IGNORED -> {}
                case ADDED, REMOVED -> changes.add(
                        child.getDelta().toString().toLowerCase(Locale.ROOT) + " " + in + child.getName());
                default -> changes.addAll(changes(child, in + child.getName() + " "));
            }
        }
        return changes.stream().limit(10).toList();
    }

    /** Felice's own exported classes, without code and without what is private. */
    private Jar read(Path file, UnaryOperator<byte[]> change) throws Exception {
        Jar api = new Jar(name);
        try (Jar all = new Jar(file.toFile())) {
            Map<String, Resource> classes = new TreeMap<>(all.getResources());
            String exports = exports(all);
            for (Map.Entry<String, Resource> entry : classes.entrySet()) {
                String path = entry.getKey();
                String directory = path.substring(0, path.lastIndexOf('/') + 1);
                if (path.startsWith(OURS)
                        && path.endsWith(".class")
                        && exports.contains(directory.replace('/', '.').replaceFirst("\\.$", ";version="))) {
                    byte[] bytes = entry.getValue().openInputStream().readAllBytes();
                    api.putResource(path, new EmbeddedResource(signatures(change.apply(bytes)), 0L));
                }
            }
            Manifest manifest = new Manifest();
            manifest.getMainAttributes().putValue("Manifest-Version", "1.0");
            manifest.getMainAttributes().putValue("Bundle-ManifestVersion", "2");
            manifest.getMainAttributes().putValue("Bundle-SymbolicName", name);
            manifest.getMainAttributes().putValue("Bundle-Version", "1.0.0");
            manifest.getMainAttributes().putValue("Export-Package", exports);
            api.setManifest(manifest);
        }
        return api;
    }

    private String exports(Jar jar) throws Exception {
        if (name.equals(TESTKIT)) {
            return TESTKIT + ";version=1.1.0";
        }
        List<String> ours = new ArrayList<>();
        new Parameters(jar.getManifest().getMainAttributes().getValue("Export-Package"))
                .forEach((exported, attributes) -> {
                    if (exported.startsWith("io.felice.")) {
                        ours.add(exported + ";version=" + attributes.getVersion());
                    }
                });
        return String.join(",", ours);
    }

    private static byte[] signatures(byte[] classFile) {
        ClassWriter writer = new ClassWriter(0);
        new ClassReader(classFile)
                .accept(
                        new ClassVisitor(Opcodes.ASM9, writer) {
                            @Override
                            public FieldVisitor visitField(
                                    int access, String field, String descriptor, String signature, Object value) {
                                return isShown(access)
                                        ? super.visitField(access, field, descriptor, signature, value)
                                        : null;
                            }

                            @Override
                            public MethodVisitor visitMethod(
                                    int access, String method, String descriptor, String signature, String[] thrown) {
                                return isShown(access)
                                        ? super.visitMethod(access, method, descriptor, signature, thrown)
                                        : null;
                            }
                        },
                        ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        return writer.toByteArray();
    }

    private static boolean isShown(int access) {
        return (access & (Opcodes.ACC_PUBLIC | Opcodes.ACC_PROTECTED)) != 0;
    }
}
