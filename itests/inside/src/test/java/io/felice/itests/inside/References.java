package io.felice.itests.inside;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.osgi.framework.Bundle;
import org.osgi.framework.FrameworkUtil;

/**
 * Follows the references from class to class within a bundle, starting at the bundle's own classes, and finds the
 * classes that the bundle's class loader cannot load. Java loads a class only when a method first needs it, so without
 * this test a missing import fails only at that time.
 */
final class References {
    private static final String OWN = "io.felice.";
    private static final Pattern IN_DESCRIPTOR = Pattern.compile("L([^;<]+);");
    private static final int MAGIC = 0xCAFEBABE;

    private final Bundle bundle;
    private final Set<String> seen = new HashSet<>();
    private final Deque<String> toRead = new ArrayDeque<>();
    private final Map<String, Set<String>> missing = new TreeMap<>();

    private References(Bundle bundle) {
        this.bundle = bundle;
    }

    /** The missing classes, each with some of the classes that refer to it. */
    static Map<String, Set<String>> missing(Bundle bundle) throws IOException {
        References references = new References(bundle);
        references.readAll();
        return references.missing;
    }

    private void readAll() throws IOException {
        for (URL entry : Collections.list(bundle.findEntries("/", "*.class", true))) {
            String name = entry.getPath().substring(1).replace('/', '.').replaceFirst("\\.class$", "");
            if (name.startsWith(OWN) && !name.endsWith("package-info")) {
                find(name, "the bundle itself");
            }
        }
        while (!toRead.isEmpty()) {
            String name = toRead.remove();
            for (String named : named(name)) {
                find(named, name);
            }
        }
    }

    private void find(String name, String by) {
        if (name.startsWith("java.") || missing.containsKey(name)) {
            missing.computeIfPresent(name, (known, users) -> users.size() < 3 ? with(users, by) : users);
            return;
        }
        if (!seen.add(name)) {
            return;
        }
        try {
            if (FrameworkUtil.getBundle(bundle.loadClass(name)) == bundle) {
                toRead.add(name);
            }
        } catch (ClassNotFoundException | LinkageError notFound) {
            missing.put(name, with(new TreeSet<>(), by));
        }
    }

    private static Set<String> with(Set<String> users, String by) {
        users.add(by);
        return users;
    }

    /**
     * The classes that a class file refers to in its code. For Felice's own classes, also those in the signatures of
     * the methods and fields that it uses.
     */
    private Set<String> named(String name) throws IOException {
        URL file = bundle.getEntry("/" + name.replace('.', '/') + ".class");
        try (InputStream stream = file.openStream();
                DataInputStream in = new DataInputStream(stream)) {
            if (in.readInt() != MAGIC) {
                throw new IOException(name + " is not a class file");
            }
            in.readInt();
            return named(in, name.startsWith(OWN));
        }
    }

    private static Set<String> named(DataInputStream in, boolean withSignatures) throws IOException {
        int count = in.readUnsignedShort();
        String[] texts = new String[count];
        Set<Integer> classes = new HashSet<>();
        Set<Integer> signatures = new HashSet<>();
        for (int i = 1; i < count; i++) {
            int tag = in.readUnsignedByte();
            switch (tag) {
                case 1 -> texts[i] = in.readUTF();
                case 7 -> classes.add(in.readUnsignedShort());
                case 12 -> {
                    in.readUnsignedShort();
                    signatures.add(in.readUnsignedShort());
                }
                case 16 -> signatures.add(in.readUnsignedShort());
                case 8, 19, 20 -> in.readUnsignedShort();
                case 15 -> in.skipBytes(3);
                case 3, 4, 9, 10, 11, 17, 18 -> in.readInt();
                case 5, 6 -> {
                    in.readLong();
                    i++;
                }
                default -> throw new IOException("constant of type " + tag);
            }
        }
        Set<String> names = new TreeSet<>();
        classes.forEach(index -> names.addAll(classesIn(texts[index])));
        if (withSignatures) {
            signatures.forEach(index -> names.addAll(inDescriptor(texts[index])));
        }
        return names;
    }

    private static List<String> classesIn(String constant) {
        return constant.startsWith("[") ? inDescriptor(constant) : List.of(constant.replace('/', '.'));
    }

    private static List<String> inDescriptor(String descriptor) {
        return IN_DESCRIPTOR
                .matcher(descriptor)
                .results()
                .map(found -> found.group(1).replace('/', '.'))
                .toList();
    }
}
