package io.felice.itests.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.itests.rig.MadeOnce;
import io.felice.itests.rig.Programs;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * More than a million lines of text: the longer lines of the JDK's sources as Debian packages them. The file is made
 * once, in {@code target/corpus}.
 */
final class Corpus {
    private static final Path HOME = Path.of("target/corpus").toAbsolutePath();
    private static final int SHORTEST_LINE = 60;
    private static final long FEWEST_LINES = 1_000_000;
    private static final long FEWEST_BYTES = 100_000_000;

    private Corpus() {}

    /** The whole corpus. Every line ends with a line feed; no line is empty or has a carriage return. */
    static Path file() {
        Path file = HOME.resolve("corpus.txt");
        MadeOnce.in(HOME, () -> {
            if (!Files.exists(file)) {
                Path draft = HOME.resolve("corpus.draft");
                write(draft, Long.MAX_VALUE);
                assertThat(Files.size(draft)).isGreaterThanOrEqualTo(FEWEST_BYTES);
                assertThat(lines(draft)).isGreaterThanOrEqualTo(FEWEST_LINES);
                Files.move(draft, file);
            }
        });
        return file;
    }

    static Path first(int lines) {
        Path file = HOME.resolve("first-" + lines + ".txt");
        MadeOnce.in(HOME, () -> {
            if (!Files.exists(file)) {
                Path draft = HOME.resolve("first.draft");
                write(draft, lines);
                Files.move(draft, file);
            }
        });
        return file;
    }

    static long lines(Path file) throws IOException {
        long lines = 0;
        byte[] chunk = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
                for (int i = 0; i < n; i++) {
                    if (chunk[i] == '\n') {
                        lines++;
                    }
                }
            }
        }
        return lines;
    }

    private static void write(Path draft, long atMost) throws IOException {
        long left = atMost;
        try (ZipFile sources = new ZipFile(sourceArchive().toFile());
                OutputStream out = new BufferedOutputStream(Files.newOutputStream(draft))) {
            List<? extends ZipEntry> files = sources.stream()
                    .filter(entry -> entry.getName().endsWith(".java"))
                    .sorted(Comparator.comparing(ZipEntry::getName))
                    .toList();
            for (ZipEntry file : files) {
                try (InputStream in = sources.getInputStream(file)) {
                    left = longLines(in.readAllBytes(), out, left);
                }
                if (left == 0) {
                    return;
                }
            }
        }
    }

    private static long longLines(byte[] text, OutputStream out, long atMost) throws IOException {
        long left = atMost;
        int from = 0;
        for (int i = 0; i < text.length && left > 0; i++) {
            if (text[i] == '\n') {
                int length = i - from;
                if (length >= SHORTEST_LINE && text[i - 1] != '\r') {
                    out.write(text, from, length + 1);
                    left--;
                }
                from = i + 1;
            }
        }
        return left;
    }

    private static void download() {
        String source = "openjdk-" + Runtime.version().feature() + "-source";
        List<String> download = List.of("apt-get", "download", source);
        try {
            Programs.run(download, HOME);
        } catch (AssertionError packageListsAreMissing) {
            Programs.run(List.of("apt-get", "update", "-qq"), HOME);
            Programs.run(download, HOME);
        }
    }

    private static Path sourceArchive() throws IOException {
        Files.createDirectories(HOME);
        Path unpacked = HOME.resolve("package");
        if (!Files.exists(unpacked)) {
            download();
            try (Stream<Path> files = Files.list(HOME)) {
                Path debian = files.filter(f -> f.toString().endsWith(".deb"))
                        .findFirst()
                        .orElseThrow();
                Programs.run(List.of("dpkg-deb", "-x", debian.toString(), unpacked + ".draft"), HOME);
            }
            Files.move(Path.of(unpacked + ".draft"), unpacked);
        }
        try (Stream<Path> files = Files.walk(unpacked)) {
            return files.filter(f -> f.endsWith("src.zip") && Files.isRegularFile(f))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
