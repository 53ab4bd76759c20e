package io.felice.plugins;

import io.felice.api.plugin.PluginCheck.Finding;
import io.felice.plugins.PluginKeeper.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directory {@code plugins/}: says which files are in it, and reads each file once when it is whole. A file is read from
 * a copy, because somebody may begin to write to it. Changes no file of the directory. One thread.
 */
final class WatchedDirectory {
    private static final Logger log = LoggerFactory.getLogger(WatchedDirectory.class);

    /** A file that was not written to for so long is whole. */
    private static final long QUIET_MS = 2_000;

    private final Path path;
    private final KeptVersions kept;
    private final Supplier<Limits> limits;
    private final LongSupplier nowMs;

    /** How the files looked last, by name. */
    private final Map<String, PluginFile.Look> looks = new TreeMap<>();

    /** The files that were read, by name. */
    private final Map<String, PluginFile> files = new TreeMap<>();

    /** @param path absolute */
    WatchedDirectory(Path path, KeptVersions kept, Supplier<Limits> limits, LongSupplier nowMs) {
        this.path = path;
        this.kept = kept;
        this.limits = limits;
        this.nowMs = nowMs;
    }

    Path path() {
        return path;
    }

    void create() throws IOException {
        Files.createDirectories(path);
        deleteCopies();
        nameForgottenFiles(path.resolveSibling("deploy"));
    }

    /** Earlier versions had the platform watch this directory. */
    private void nameForgottenFiles(Path deploy) throws IOException {
        if (!Files.isDirectory(deploy)) {
            return;
        }
        try (Stream<Path> all = Files.list(deploy)) {
            all.filter(PluginFile::isPlugin)
                    .forEach(file -> log.warn(
                            "{} is not installed: that directory is not watched any more. Move the file to {}",
                            file,
                            path));
        }
    }

    /** Deletes the copies that files were read from. The archives that were read then name jars that are gone. */
    void deleteCopies() throws IOException {
        KeptVersions.delete(kept.unpacked());
    }

    /**
     * Reads the files that are new or have changed.
     *
     * @param whole a file that is whole although it is new; null if this is not known
     * @return true if another file is there, or a file is another plugin now
     */
    boolean read(Path whole) throws IOException {
        List<Path> present;
        try (Stream<Path> all = Files.list(path)) {
            present = all.filter(PluginFile::isPlugin).sorted().toList();
        }
        List<String> names =
                present.stream().map(file -> file.getFileName().toString()).toList();
        boolean changed = files.keySet().retainAll(names);
        looks.keySet().retainAll(names);
        for (Path file : present) {
            changed |= readIfChanged(file, file.equals(whole));
        }
        return changed;
    }

    private boolean readIfChanged(Path file, boolean isWhole) throws IOException {
        String name = file.getFileName().toString();
        PluginFile.Look look = PluginFile.Look.at(file);
        PluginFile known = files.get(name);
        if (known != null && known.look().equals(look)) {
            return false;
        }
        PluginFile.Look before = looks.put(name, look);
        if (!isWhole && !look.equals(before) && !look.isOlderThan(QUIET_MS, nowMs.getAsLong())) {
            return false;
        }
        PluginFile read = read(file, look);
        files.put(name, read);
        return known == null || !known.key().equals(read.key());
    }

    private PluginFile read(Path file, PluginFile.Look look) {
        try {
            PluginArchive archive = reader().read(copyOf(file));
            return new PluginFile(
                    file, look, Optional.of(archive), PluginFile.checksumFindings(file, archive.sha256()));
        } catch (UnfitFile unfit) {
            return new PluginFile(file, look, Optional.empty(), List.of(unfit.finding()));
        } catch (IOException unreadable) {
            return new PluginFile(
                    file,
                    look,
                    Optional.empty(),
                    List.of(new Finding(true, "It cannot be read.", unreadable.toString())));
        }
    }

    /** A file that is too large is refused by its size alone, and is not copied. */
    private Path copyOf(Path file) throws IOException {
        if (Files.size(file) > limits.get().maxFileBytes()) {
            return file;
        }
        Path copy = kept.unpacked().resolve("read").resolve(file.getFileName());
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
        return copy;
    }

    private ArchiveReader reader() {
        Limits now = limits.get();
        return new ArchiveReader(now.maxFileBytes(), now.maxUnpackedBytes(), now.trusted(), kept.unpacked());
    }

    /** Reads a file that need not be in the directory. */
    PluginFile readForeign(Path file) throws IOException {
        return read(file, PluginFile.Look.at(file));
    }

    PluginArchive read(KeptVersions.Version version) throws UnfitFile {
        return reader().read(version.file());
    }

    /** Reads an archive once more if the copies that it was read from are deleted. */
    PluginArchive withJars(PluginArchive archive, RunningPlugin plugin) throws IOException, UnfitFile {
        if (archive.bundles().stream().allMatch(jar -> Files.exists(jar.file()))) {
            return archive;
        }
        Optional<KeptVersions.Version> version = kept.notes(plugin.name).version(archive.sha256());
        PluginArchive again = version.isPresent() ? read(version.get()) : reader().read(copyOf(plugin.file.path()));
        if (!again.sha256().equals(archive.sha256())) {
            throw new IOException("the file is being changed");
        }
        return again;
    }

    /** The files that were read, in the order of their names. */
    Collection<PluginFile> files() {
        return files.values();
    }

    /** The names of all files that are there. */
    Set<String> names() {
        return looks.keySet();
    }

    /** True if the file is there, and nobody can say yet what it is. */
    boolean isBeingWritten(String name) {
        return !name.isEmpty() && !files.containsKey(name) && Files.exists(path.resolve(name));
    }

    /** Has the next look read a file again. */
    void forget(String name) {
        files.remove(name);
    }
}
