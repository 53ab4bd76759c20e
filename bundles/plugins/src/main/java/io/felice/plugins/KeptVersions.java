package io.felice.plugins;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the node remembers of each plugin, in a directory beside {@code plugins/}: its last two versions that ran, whether
 * it is disabled, and which file was taken back. Every change is on the disk when the method returns. One thread.
 *
 * <pre>
 * NAME/plugin.properties   order, file, disabled, rejected, why, kept (SHA256 VERSION FILE, the newest first)
 * NAME/SHA256/FILE         a version
 * </pre>
 */
final class KeptVersions {
    private static final Logger log = LoggerFactory.getLogger(KeptVersions.class);
    private static final int MOST_VERSIONS = 2;
    private static final int MOST_REMOVED = 16;
    private static final String NOTES = "plugin.properties";

    private final Path directory;

    KeptVersions(Path directory) {
        this.directory = directory;
    }

    /**
     * What is remembered of a plugin.
     *
     * @param order the plugin with the lower number was there first
     * @param file its file in {@code plugins/}
     * @param rejected the SHA-256 of a file that was taken back; empty if none was
     * @param why it was taken back
     * @param versions the newest first
     */
    record Notes(long order, String file, boolean isDisabled, String rejected, String why, List<Version> versions) {
        static final Notes NONE = new Notes(Long.MAX_VALUE, "", false, "", "", List.of());

        Notes of(long newOrder, String newFile) {
            return new Notes(newOrder, newFile, isDisabled, rejected, why, versions);
        }

        Notes disabled(boolean newDisabled) {
            return new Notes(order, file, newDisabled, rejected, why, versions);
        }

        Notes rejecting(String sha256, String sentence) {
            return new Notes(order, file, isDisabled, sha256, sentence, versions);
        }

        boolean hasRejected(String sha256) {
            return !sha256.isEmpty() && rejected.equals(sha256);
        }

        /** The version that ran last. */
        Optional<Version> last() {
            return versions.stream().findFirst();
        }

        Optional<Version> version(String sha256) {
            return versions.stream()
                    .filter(each -> each.sha256().equals(sha256))
                    .findFirst();
        }

        private Notes with(List<Version> newVersions) {
            return new Notes(order, file, isDisabled, rejected, why, newVersions);
        }
    }

    /** A version that ran. */
    record Version(String sha256, String version, Path file) {}

    /** The directory for the jars of archives that are being read. */
    Path unpacked() {
        return directory.resolve(".unpacked");
    }

    Notes notes(String name) {
        Path file = directory.resolve(name).resolve(NOTES);
        if (!Files.exists(file)) {
            return Notes.NONE;
        }
        Properties read = new Properties();
        try (InputStream in = Files.newInputStream(file)) {
            read.load(in);
            return new Notes(
                    Long.parseLong(read.getProperty("order")),
                    read.getProperty("file", ""),
                    Boolean.parseBoolean(read.getProperty("disabled")),
                    read.getProperty("rejected", ""),
                    read.getProperty("why", ""),
                    versions(name, read.getProperty("kept", "")));
        } catch (IOException | IllegalArgumentException unreadable) {
            log.error(
                    "{} cannot be read, so the versions of the plugin are forgotten: {}", file, unreadable.toString());
            return Notes.NONE;
        }
    }

    private List<Version> versions(String name, String kept) {
        return kept.lines()
                .map(line -> line.split(" ", 3))
                .filter(parts -> parts.length == 3)
                .map(parts -> new Version(
                        parts[0],
                        parts[1],
                        directory.resolve(name).resolve(parts[0]).resolve(parts[2])))
                .filter(version -> Files.exists(version.file()))
                .toList();
    }

    /** The names of all plugins that are remembered. */
    List<String> names() {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(directory)) {
            return all.filter(each -> Files.exists(each.resolve(NOTES)))
                    .map(each -> each.getFileName().toString())
                    .sorted()
                    .toList();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /** The versions that are kept, of all plugins together. */
    long count() {
        return names().stream().mapToLong(name -> notes(name).versions().size()).sum();
    }

    /** The plugin that had a file of this name in {@code plugins/}. */
    Optional<String> nameOf(String file) {
        return names().stream().filter(name -> notes(name).file().equals(file)).findFirst();
    }

    /** Those that were there first come first. */
    List<String> inOrder(Collection<String> names) {
        return names.stream()
                .sorted(Comparator.<String>comparingLong(name -> notes(name).order())
                        .thenComparing(Comparator.naturalOrder()))
                .toList();
    }

    private long nextOrder() {
        return names().stream()
                        .map(this::notes)
                        .mapToLong(Notes::order)
                        .filter(order -> order < Long.MAX_VALUE)
                        .max()
                        .orElse(0)
                + 1;
    }

    void note(String name, Notes notes) throws IOException {
        if (notes.equals(notes(name))) {
            return;
        }
        Properties written = new Properties();
        written.setProperty("order", Long.toString(notes.order()));
        written.setProperty("file", notes.file());
        written.setProperty("disabled", Boolean.toString(notes.isDisabled()));
        written.setProperty("rejected", notes.rejected());
        written.setProperty("why", notes.why());
        StringBuilder kept = new StringBuilder();
        for (Version version : notes.versions()) {
            kept.append(version.sha256()).append(' ');
            kept.append(version.version().isEmpty() ? "-" : version.version()).append(' ');
            kept.append(version.file().getFileName()).append('\n');
        }
        written.setProperty("kept", kept.toString());
        Path home = directory.resolve(name);
        Files.createDirectories(home);
        Path draft = home.resolve(NOTES + ".draft");
        try (FileChannel channel = FileChannel.open(
                        draft,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING);
                OutputStream out = Channels.newOutputStream(channel)) {
            written.store(out, null);
            channel.force(true);
        }
        Files.move(draft, home.resolve(NOTES), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        force(home);
        force(directory);
    }

    /** Notes the file of a plugin that is in use. If this fails, the plugin goes on. */
    void noteFile(RunningPlugin plugin) {
        try {
            Notes notes = notes(plugin.name);
            long order = notes.order() == Long.MAX_VALUE ? nextOrder() : notes.order();
            note(plugin.name, notes.of(order, plugin.file == null ? notes.file() : plugin.file.fileName()));
        } catch (IOException unwritable) {
            log.error("The plugin {} cannot be noted: {}", plugin.name, unwritable.toString());
        }
    }

    /** Keeps the version that runs, so that it can come back, and the one before it. If this fails, the plugin goes on. */
    void keep(RunningPlugin plugin) {
        noteFile(plugin);
        try {
            Optional<Path> file = plugin.archive.bundles().size() == 1
                    ? Optional.of(plugin.archive.bundles().get(0).file())
                    : Optional.ofNullable(plugin.file).map(PluginFile::path);
            if (file.isPresent() && Files.exists(file.get()) && plugin.file != null) {
                keep(plugin.name, plugin.archive, file.get(), plugin.file.fileName());
            }
        } catch (IOException unwritable) {
            log.error("The version {} is not kept for a rollback: {}", plugin.archive, unwritable.toString());
        }
    }

    /** Notes that the version that was tried is not tried again. */
    void reject(RunningPlugin plugin, String why) {
        try {
            note(plugin.name, notes(plugin.name).rejecting(plugin.archive.sha256(), why));
        } catch (IOException unwritable) {
            log.error("The next start tries {} again, because that cannot be noted", plugin.archive, unwritable);
        }
    }

    private void keep(String name, PluginArchive plugin, Path from, String fileName) throws IOException {
        Notes before = notes(name);
        boolean isNewest = !before.versions().isEmpty()
                && before.versions().get(0).sha256().equals(plugin.sha256());
        if (isNewest) {
            return;
        }
        Path to = directory.resolve(name).resolve(plugin.sha256()).resolve(fileName);
        List<Version> versions = new ArrayList<>();
        versions.add(new Version(plugin.sha256(), plugin.version(), to));
        before.versions().stream()
                .filter(version -> !version.sha256().equals(plugin.sha256()))
                .limit(MOST_VERSIONS - 1L)
                .forEach(versions::add);
        if (!Files.exists(to)) {
            copy(from, to);
        }
        note(name, before.with(versions));
        drop(name, versions);
    }

    /** Copies a file; it appears whole or not at all, and is on the disk when the method returns. */
    static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to.getParent());
        Path draft = to.resolveSibling("." + to.getFileName() + ".draft");
        Files.copy(from, draft, StandardCopyOption.REPLACE_EXISTING);
        force(draft);
        Files.move(draft, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        force(to.getParent());
    }

    static void force(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private void drop(String name, List<Version> kept) throws IOException {
        List<Path> old;
        try (Stream<Path> all = Files.list(directory.resolve(name))) {
            old = all.filter(Files::isDirectory)
                    .filter(each -> kept.stream().noneMatch(version -> version.sha256()
                            .equals(each.getFileName().toString())))
                    .toList();
        }
        for (Path each : old) {
            delete(each);
        }
    }

    /** Forgets the plugins that were removed first, if there are many. */
    void prune(Set<String> present) throws IOException {
        List<String> removed = names().stream()
                .filter(name -> !present.contains(name))
                .sorted(Comparator.comparingLong(name -> notes(name).order()))
                .toList();
        for (String name : removed.subList(0, Math.max(0, removed.size() - MOST_REMOVED))) {
            delete(directory.resolve(name));
        }
    }

    static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        List<Path> files;
        try (Stream<Path> all = Files.walk(directory)) {
            files = all.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : files) {
            Files.delete(file);
        }
    }
}
