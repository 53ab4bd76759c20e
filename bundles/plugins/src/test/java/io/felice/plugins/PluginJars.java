package io.felice.plugins;

import aQute.bnd.osgi.Builder;
import aQute.bnd.osgi.EmbeddedResource;
import aQute.bnd.osgi.Jar;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/** Compiles and packs plugins, as the build of a plugin does. One thread. */
final class PluginJars {
    /** What plugins are compiled against. */
    private static final String CLASS_PATH = Arrays.stream(
                    System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry ->
                    entry.matches(".*(io\\.felice\\.api|bundles.api|osgi\\.core|component\\.annotations|slf4j-api).*"))
            .collect(Collectors.joining(File.pathSeparator));

    private final Path directory;
    private int made;

    PluginJars(Path directory) {
        this.directory = directory;
    }

    /** A bundle that is being described. */
    final class Recipe {
        private final Map<String, String> sources = new LinkedHashMap<>();
        private final Map<String, String> headers = new HashMap<>();
        private final Map<String, byte[]> resources = new LinkedHashMap<>();
        private String classPath = CLASS_PATH;

        private Recipe(String symbolicName, String version) {
            headers.put("Bundle-SymbolicName", symbolicName);
            headers.put("Bundle-Version", version);
            headers.put("-noimportjava", "true");
        }

        /** @param name of the class, in the package {@code org.example} */
        Recipe source(String name, String code) {
            return source("org.example", name, code);
        }

        Recipe source(String packageName, String name, String code) {
            sources.put(packageName.replace('.', '/') + "/" + name + ".java", "package " + packageName + ";\n" + code);
            return this;
        }

        Recipe header(String name, String value) {
            headers.put(name, value);
            return this;
        }

        Recipe resource(String name, byte[] content) {
            resources.put(name, content);
            return this;
        }

        Recipe compiledAgainst(Path jar) {
            classPath = classPath + File.pathSeparator + jar;
            return this;
        }

        /** Packs it into a file of this name outside of the directory of plugins. */
        Path pack(String fileName) throws Exception {
            Path home = Files.createDirectories(directory.resolve("made-" + made++));
            Path classes = Files.createDirectories(home.resolve("classes"));
            compile(home, classes);
            Path file = home.resolve(fileName);
            try (Builder builder = new Builder();
                    Jar content = new Jar(classes.toFile())) {
                for (String each : classPath.split(File.pathSeparator)) {
                    builder.addClasspath(new File(each));
                }
                headers.forEach(builder::setProperty);
                builder.addClasspath(content);
                if (!headers.containsKey("-includepackage") && !headers.containsKey("Export-Package")) {
                    builder.setProperty("-includepackage", "org.example.*");
                }
                Jar jar = builder.build();
                for (Map.Entry<String, byte[]> each : resources.entrySet()) {
                    jar.putResource(each.getKey(), new EmbeddedResource(each.getValue(), 0L));
                }
                if (!builder.getErrors().isEmpty()) {
                    throw new IllegalStateException(builder.getErrors().toString());
                }
                jar.write(file.toFile());
            }
            return file;
        }

        private void compile(Path home, Path classes) throws IOException {
            if (sources.isEmpty()) {
                return;
            }
            List<String> arguments = new ArrayList<>(List.of(
                    "-proc:none", "-parameters", "--release", "17", "-d", classes.toString(), "-cp", classPath));
            for (Map.Entry<String, String> source : sources.entrySet()) {
                Path file = home.resolve("sources").resolve(source.getKey());
                Files.createDirectories(file.getParent());
                arguments.add(Files.writeString(file, source.getValue()).toString());
            }
            JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
            ByteArrayOutputStream errors = new ByteArrayOutputStream();
            if (compiler.run(null, errors, errors, arguments.toArray(new String[0])) != 0) {
                throw new IllegalStateException(errors.toString(StandardCharsets.UTF_8));
            }
        }
    }

    Recipe bundle(String symbolicName, String version) {
        return new Recipe(symbolicName, version);
    }

    /** A credential store of that name: a component without a mistake. */
    Recipe store(String symbolicName, String version, String storeName) {
        return bundle(symbolicName, version).source("Store", storeCode(storeName, "", ""));
    }

    /**
     * The code of a credential store.
     *
     * @param annotation more for the annotation {@code Component}, beginning with a comma; or nothing
     * @param body statements of the constructor
     */
    static String storeCode(String storeName, String annotation, String body) {
        StringWriter code = new StringWriter();
        code.write("import org.osgi.service.component.annotations.*;\n");
        code.write("@Component(property = \"credential.store=" + storeName + "\"" + annotation + ")\n");
        code.write("public class Store implements io.felice.api.security.CredentialStore {\n");
        code.write("  @Activate public Store() { Seen.add(\"activated\"); " + body + " }\n");
        code.write("  @Override public boolean hasPassword(String user, byte[] password) { return true; }\n");
        code.write("}\nclass Seen { static synchronized void add(String what) { String key = \"" + storeName
                + ".\" + what; System.setProperty(key, Integer.toString(Integer.getInteger(key, 0) + 1)); } }\n");
        return code.toString();
    }

    /** Packs jars into an archive. */
    Path archive(String fileName, Path... jars) throws IOException {
        Path home = Files.createDirectories(directory.resolve("made-" + made++));
        Path file = home.resolve(fileName);
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            for (Path jar : jars) {
                zip.putNextEntry(new ZipEntry("bundles/" + jar.getFileName()));
                Files.copy(jar, zip);
            }
        }
        return file;
    }

    /** Puts a file into a directory in one step. */
    static void drop(Path file, Path directory) throws IOException {
        Path draft = directory.resolve(".draft");
        Files.copy(file, draft, StandardCopyOption.REPLACE_EXISTING);
        Files.move(draft, directory.resolve(file.getFileName()), StandardCopyOption.ATOMIC_MOVE);
    }
}
