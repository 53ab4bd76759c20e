package io.felice.junit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/**
 * Loads the node from the jars inside this jar, and the plugins from the class path of the test. The node has libraries of
 * its own, Kafka's classes among them, whatever versions the test uses. What it does not have, such as SLF4J and the
 * libraries of plugins, it gets from the class path of the test. One for the JVM.
 */
final class NodeLoader extends URLClassLoader {
    private static final String NODE = "io/felice/junit/node";
    private static final String MANIFEST = "META-INF/MANIFEST.MF";

    /** The platform has no class whose name begins so. */
    private static final List<String> OF_THE_NODE = List.of("io.felice.", "org.apache.", "org.slf4j.", "org.osgi.");

    static {
        registerAsParallelCapable();
    }

    /** Makes the loader at the first use. */
    private static final class Holder {
        static final NodeLoader LOADER = create();
    }

    private final ClassLoader test;

    private NodeLoader(List<URL> urls, ClassLoader test) {
        super("felice-node", urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
        this.test = test;
    }

    static NodeControl start(String engine, Path data, Map<String, Map<String, Object>> settings) {
        try {
            Constructor<?> constructor = Holder.LOADER
                    .loadClass(LoadedNode.class.getName())
                    .getDeclaredConstructor(String.class, Path.class, Map.class);
            constructor.setAccessible(true);
            return (NodeControl) constructor.newInstance(engine, data, settings);
        } catch (InvocationTargetException failure) {
            throw new IllegalStateException(
                    "The node does not start: " + failure.getCause().getMessage(), failure.getCause());
        } catch (ReflectiveOperationException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static NodeLoader create() {
        try {
            ClassLoader test = NodeLoader.class.getClassLoader();
            URL own = NodeLoader.class.getProtectionDomain().getCodeSource().getLocation();
            List<URL> urls = new ArrayList<>();
            urls.add(own);
            for (Path jar : jarsIn(Path.of(own.toURI()))) {
                urls.add(jar.toUri().toURL());
            }
            urls.addAll(plugins(test));
            return new NodeLoader(urls, test);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (URISyntaxException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** A loader of classes cannot read jars inside a jar, so they are copied out of it. */
    private static List<Path> jarsIn(Path own) throws IOException {
        if (Files.isDirectory(own)) {
            return list(own.resolve(NODE));
        }
        Path copies = Files.createTempDirectory("felice-node-");
        copies.toFile().deleteOnExit();
        List<Path> jars = new ArrayList<>();
        try (FileSystem jar = FileSystems.newFileSystem(own, (ClassLoader) null)) {
            for (Path inside : list(jar.getPath(NODE))) {
                Path copy = copies.resolve(inside.getFileName().toString());
                Files.copy(inside, copy);
                copy.toFile().deleteOnExit();
                jars.add(copy);
            }
        }
        return jars;
    }

    private static List<Path> list(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }

    /** The roots of the bundles on the class path of the test that import a package of Felice and are not Felice's. */
    private static List<URL> plugins(ClassLoader test) throws IOException {
        List<URL> roots = new ArrayList<>();
        for (URL url : Collections.list(test.getResources(MANIFEST))) {
            Manifest manifest;
            try (InputStream in = url.openStream()) {
                manifest = new Manifest(in);
            }
            String name = manifest.getMainAttributes().getValue("Bundle-SymbolicName");
            String imports = manifest.getMainAttributes().getValue("Import-Package");
            if (name != null && !name.startsWith("io.felice.") && imports != null && imports.contains("io.felice.")) {
                roots.add(rootOf(url));
            }
        }
        return roots;
    }

    private static URL rootOf(URL manifest) throws IOException {
        String text = manifest.toString();
        String root = text.substring(0, text.length() - MANIFEST.length());
        boolean isJar = root.startsWith("jar:") && root.endsWith("!/");
        return URI.create(isJar ? root.substring("jar:".length(), root.length() - "!/".length()) : root)
                .toURL();
    }

    /** Asks the platform last: for each class that it does not have, it would make an exception. */
    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (OF_THE_NODE.stream().noneMatch(name::startsWith)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : findClass(name);
        }
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        if (name.equals(NodeControl.class.getName())) {
            return test.loadClass(name);
        }
        try {
            return super.findClass(name);
        } catch (ClassNotFoundException notOfTheNode) {
            return test.loadClass(name);
        }
    }
}
