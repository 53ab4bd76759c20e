package io.felice.plugins;

import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSigner;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;
import org.apache.felix.utils.manifest.Clause;
import org.xml.sax.SAXException;

/**
 * Reads files as plugins: every entry once, so that a file that is cut off or damaged is noticed, and within limits, so that
 * a small file cannot unpack to more than the node has. One thread.
 *
 * @param unpacked where the jars of archives are unpacked to
 */
record ArchiveReader(long maxFileBytes, long maxUnpackedBytes, TrustedSigners trusted, Path unpacked) {
    /** A zip file of the old format has no more. */
    private static final int MAX_ENTRIES = 65_535;

    private static final int MAX_BUNDLES = 256;
    private static final int MAX_TEXT_BYTES = 1 << 20;
    private static final int MAX_DEPTH = 2;
    private static final Pattern SAFE_NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,199}");
    private static final String OUR_API = "io/felice/api/";
    private static final Pattern SIGNATURE_FILE =
            Pattern.compile("META-INF/(MANIFEST\\.MF|SIG-.*|[^/]*\\.(SF|RSA|DSA|EC))", Pattern.CASE_INSENSITIVE);

    /**
     * Reads a file that nobody writes to.
     *
     * @throws UnfitFile if it is no plugin, is damaged or is too large
     */
    PluginArchive read(Path file) throws UnfitFile {
        String name = file.getFileName().toString();
        try {
            long bytes = Files.size(file);
            if (bytes > maxFileBytes) {
                throw tooLarge(name, bytes + " bytes", "max.file.bytes", maxFileBytes);
            }
            String sha256 = sha256(file);
            List<BundleJar> bundles = bundles(file, sha256);
            for (BundleJar bundle : bundles) {
                if (!SAFE_NAME.matcher(bundle.symbolicName()).matches()) {
                    throw new UnfitFile(
                            "Its symbolic name is unusable: names have letters, digits, dots, dashes and underscores, and"
                                    + " at most 200 of them.",
                            bundle.symbolicName());
                }
            }
            return PluginArchive.of(baseName(name), sha256, bundles);
        } catch (ZipException damaged) {
            throw new UnfitFile(
                    "It is not a whole jar or zip file: it is damaged, or it was not copied to its end.",
                    damaged.toString());
        } catch (SecurityException changed) {
            throw new UnfitFile("It was changed after it was signed.", changed.toString());
        } catch (IOException | IllegalArgumentException unreadable) {
            throw new UnfitFile("It cannot be read.", unreadable.toString());
        }
    }

    /** The name of a file without its ending and its version: {@code mine} of {@code mine-1.0.2.jar}. */
    static String baseName(String file) {
        String bare = file.replaceFirst("\\.[A-Za-z]+$", "").replaceFirst("-[0-9].*$", "");
        String safe = bare.replaceAll("[^A-Za-z0-9._-]", "_").replaceFirst("^[._-]+", "");
        return safe.isEmpty() ? "plugin" : safe.substring(0, Math.min(safe.length(), 200));
    }

    static String sha256(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            new DigestInputStream(in, digest).transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private List<BundleJar> bundles(Path file, String sha256) throws IOException, UnfitFile {
        Budget budget = new Budget(file.getFileName().toString());
        Path directory = unpacked.resolve(sha256);
        Jar outer = jar(file, directory, budget);
        if (outer.bundle().isBundle()) {
            return List.of(outer.bundle());
        }
        List<BundleJar> bundles = new ArrayList<>();
        for (Path inner : outer.jars()) {
            BundleJar bundle = jar(inner, null, budget).bundle();
            if (!bundle.isBundle()) {
                throw new UnfitFile(
                        "The jar " + inner.getFileName().toString().replaceFirst("^[0-9]+-", "")
                                + " inside of it is not an OSGi bundle: its manifest has no Bundle-SymbolicName.",
                        "");
            }
            bundles.add(bundle);
        }
        if (bundles.isEmpty()) {
            throw new UnfitFile(
                    "It is not a plugin: it is neither an OSGi bundle (its manifest has no Bundle-SymbolicName) nor an"
                            + " archive of bundles. The plugin's build needs the bnd-maven-plugin, or the parent pom of the"
                            + " SDK.",
                    "");
        }
        return bundles;
    }

    /** A jar, and the jars inside of it if it is an archive. */
    private record Jar(BundleJar bundle, List<Path> jars) {}

    /** @param directory where the jars inside are unpacked to, if it is no bundle; null to unpack none */
    private Jar jar(Path file, Path directory, Budget budget) throws IOException, UnfitFile {
        try (JarFile jar = new JarFile(file.toFile(), true)) {
            Map<String, String> headers = headers(jar);
            boolean isBundle = headers.containsKey("Bundle-SymbolicName");
            Map<String, byte[]> texts = new HashMap<>();
            List<String> ownApi = new ArrayList<>();
            List<Path> jars = new ArrayList<>();
            Signatures signatures = new Signatures();
            for (JarEntry entry : Collections.list(jar.entries())) {
                budget.entry();
                String name = entry.getName();
                try (InputStream in = budget.bound(jar.getInputStream(entry))) {
                    if (isOurApi(name)) {
                        ownApi.add(name);
                        drain(in);
                    } else if (name.endsWith(".jar") && isBundle) {
                        lookInside(in, ownApi, budget, 1);
                    } else if (name.endsWith(".jar") && directory != null) {
                        jars.add(unpack(in, directory, jars.size(), name));
                    } else if (name.startsWith("OSGI-INF/") && name.endsWith(".xml")) {
                        texts.put(name, text(in, name));
                    } else {
                        drain(in);
                    }
                }
                signatures.add(entry);
            }
            BundleJar bundle = new BundleJar(
                    file,
                    headers,
                    components(headers.get("Service-Component"), texts),
                    requiredKeys(texts),
                    List.copyOf(ownApi),
                    trusted.of(signatures.ofAll()));
            return new Jar(bundle, jars);
        }
    }

    private static boolean isOurApi(String entry) {
        return entry.startsWith(OUR_API) && entry.endsWith(".class");
    }

    private static Map<String, String> headers(JarFile jar) throws IOException, UnfitFile {
        ZipEntry entry = jar.getEntry(JarFile.MANIFEST_NAME);
        if (entry != null && entry.getSize() > MAX_TEXT_BYTES) {
            throw new UnfitFile("Its manifest is larger than " + MAX_TEXT_BYTES + " bytes.", "");
        }
        Manifest manifest = jar.getManifest();
        Map<String, String> headers = new HashMap<>();
        if (manifest != null) {
            manifest.getMainAttributes().forEach((key, value) -> headers.put(key.toString(), value.toString()));
        }
        return headers;
    }

    /** Jars inside of a bundle are on its class path. */
    private static void lookInside(InputStream nested, List<String> ownApi, Budget budget, int depth)
            throws IOException, UnfitFile {
        ZipInputStream zip = new ZipInputStream(nested);
        for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
            budget.entry();
            if (isOurApi(entry.getName())) {
                ownApi.add(entry.getName());
            }
            InputStream content = budget.bound(zip);
            if (entry.getName().endsWith(".jar") && depth < MAX_DEPTH) {
                lookInside(content, ownApi, budget, depth + 1);
            }
            drain(content);
        }
        drain(nested);
    }

    private static Path unpack(InputStream in, Path directory, int number, String entry) throws IOException, UnfitFile {
        if (number >= MAX_BUNDLES) {
            throw new UnfitFile("It has more than " + MAX_BUNDLES + " jars.", "");
        }
        Files.createDirectories(directory);
        String name = entry.substring(entry.lastIndexOf('/') + 1).replaceAll("[^A-Za-z0-9._-]", "_");
        Path file = directory.resolve(number + "-" + name);
        try (OutputStream out = Files.newOutputStream(file)) {
            in.transferTo(out);
        }
        return file;
    }

    private static byte[] text(InputStream in, String name) throws IOException, UnfitFile {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        text.write(in.readNBytes(MAX_TEXT_BYTES));
        if (in.read() >= 0) {
            throw new UnfitFile("Its file " + name + " is larger than " + MAX_TEXT_BYTES + " bytes.", "");
        }
        return text.toByteArray();
    }

    private static void drain(InputStream in) throws IOException {
        in.transferTo(OutputStream.nullOutputStream());
    }

    private static List<ComponentFile> components(String header, Map<String, byte[]> texts)
            throws IOException, UnfitFile {
        List<ComponentFile> components = new ArrayList<>();
        for (Clause clause : Header.clauses(header)) {
            Pattern path = Pattern.compile(Arrays.stream(clause.getName().split("\\*", -1))
                    .map(Pattern::quote)
                    .reduce((one, other) -> one + "[^/]*" + other)
                    .orElse(""));
            for (Map.Entry<String, byte[]> text : texts.entrySet()) {
                if (path.matcher(text.getKey()).matches()) {
                    try {
                        components.addAll(ComponentFile.read(text.getValue()));
                    } catch (SAXException malformed) {
                        throw new UnfitFile(
                                "Its component's descriptor " + text.getKey() + " is not well-formed.",
                                malformed.toString());
                    }
                }
            }
        }
        return components;
    }

    private static Map<String, List<String>> requiredKeys(Map<String, byte[]> texts) throws IOException {
        Map<String, List<String>> keys = new HashMap<>();
        for (Map.Entry<String, byte[]> text : texts.entrySet()) {
            if (text.getKey().startsWith("OSGI-INF/metatype/")) {
                try {
                    keys.putAll(ComponentFile.requiredKeys(text.getValue()));
                } catch (SAXException noDescription) {
                    // The description is for people only; the plugin works without.
                    continue;
                }
            }
        }
        return keys;
    }

    private static UnfitFile tooLarge(String name, String what, String setting, long limit) {
        return new UnfitFile(
                "It is too large: " + what + ", and " + setting + " of etc/io.felice.plugins.cfg is " + limit + ".",
                name);
    }

    /** Who signed every file of a jar. */
    private static final class Signatures {
        private Set<CodeSigner> all;

        void add(JarEntry entry) {
            if (entry.isDirectory() || SIGNATURE_FILE.matcher(entry.getName()).matches()) {
                return;
            }
            CodeSigner[] signers = entry.getCodeSigners();
            Set<CodeSigner> these = signers == null ? Set.of() : Set.of(signers);
            if (all == null) {
                all = new HashSet<>(these);
            } else {
                all.retainAll(these);
            }
        }

        Set<CodeSigner> ofAll() {
            return all == null ? Set.of() : all;
        }
    }

    /** What is left of the limits while one file is read. */
    private final class Budget {
        private final String name;
        private long bytes = maxUnpackedBytes;
        private int entries = MAX_ENTRIES;

        Budget(String name) {
            this.name = name;
        }

        void entry() throws UnfitFile {
            if (--entries < 0) {
                throw new UnfitFile("It has more than " + MAX_ENTRIES + " entries.", name);
            }
        }

        /** The stream, which fails when the budget is used up. */
        InputStream bound(InputStream in) {
            return new FilterInputStream(in) {
                @Override
                public int read() throws IOException {
                    int one = super.read();
                    spend(one < 0 ? 0 : 1);
                    return one;
                }

                @Override
                public int read(byte[] buffer, int offset, int length) throws IOException {
                    int count = super.read(buffer, offset, length);
                    spend(Math.max(0, count));
                    return count;
                }

                private void spend(int count) throws IOException {
                    bytes -= count;
                    if (bytes < 0) {
                        throw new IOException("it unpacks to more than max.unpacked.bytes of"
                                + " etc/io.felice.plugins.cfg, which is " + maxUnpackedBytes);
                    }
                }
            };
        }
    }
}
