package io.felice.plugins;

import static io.felice.api.ErrorCode.INVALID_REQUEST;

import io.felice.api.plugin.Plugin;
import io.felice.api.plugin.Plugin.State;
import io.felice.api.plugin.PluginCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The orders of operators. An order changes the directory or the notes, and has the keeper look; then it says in a sentence
 * what has come of it, or throws INVALID_REQUEST. One thread: that of the keeper.
 */
final class PluginOrders {
    private final PluginKeeper keeper;
    private final Consumer<Path> look;
    private final Path directory;
    private final KeptVersions kept;

    /** @param look has the keeper look at the directory, as {@link PluginKeeper#look} */
    PluginOrders(PluginKeeper keeper, Consumer<Path> look) {
        this.keeper = keeper;
        this.look = look;
        this.directory = keeper.directory().path();
        this.kept = keeper.kept();
    }

    /** Compares a file with the node. Changes nothing. */
    PluginCheck check(Path file) {
        return keeper.admission().check(read(file));
    }

    private PluginFile read(Path file) {
        try {
            if (!file.isAbsolute() || !Files.isRegularFile(file)) {
                throw INVALID_REQUEST.because("There is no file " + file + "; give an absolute path.");
            }
            return keeper.directory().readForeign(file);
        } catch (IOException unreadable) {
            throw INVALID_REQUEST.because(file + " cannot be read: " + unreadable);
        }
    }

    String install(Path file) throws IOException {
        PluginCheck check = fitting(read(file));
        Path target = directory.resolve(file.getFileName());
        if (keeper.plugin(check.name()).isPresent()) {
            throw INVALID_REQUEST.because("The plugin " + check.name() + " is installed already. To replace it:"
                    + " felice:plugin-upgrade " + check.name() + " " + file);
        }
        if (Files.exists(target) && !Files.isSameFile(target, file)) {
            throw INVALID_REQUEST.because("There is a file " + target.getFileName() + " in plugins/ already.");
        }
        putInto(target, file);
        look.accept(target);
        return result(check.name());
    }

    private PluginCheck fitting(PluginFile file) {
        PluginCheck check = keeper.admission().check(file);
        if (!PluginFile.isPlugin(file.path())) {
            throw INVALID_REQUEST.because(
                    file.fileName() + " is left out: the name of a plugin's file ends with .jar," + " .zip or .kar.");
        }
        if (!check.fits()) {
            throw INVALID_REQUEST.because(file.fileName() + " is left out: " + check.refusal());
        }
        return check;
    }

    /** Copies a file, and its checksum if it has one. The checksum comes first, so that the file is never without. */
    private static void putInto(Path target, Path file) throws IOException {
        if (target.equals(file)) {
            return;
        }
        Files.deleteIfExists(PluginFile.checksumOf(target));
        if (Files.exists(PluginFile.checksumOf(file))) {
            KeptVersions.copy(PluginFile.checksumOf(file), PluginFile.checksumOf(target));
        }
        KeptVersions.copy(file, target);
    }

    private String result(String name) {
        RunningPlugin plugin = keeper.plugin(name)
                .orElseThrow(() -> INVALID_REQUEST.because("The plugin " + name + " is left out: "
                        + keeper.list().stream()
                                .filter(each -> each.name().equals(name))
                                .map(Plugin::sentence)
                                .findFirst()
                                .orElse("its file is gone")));
        boolean isDescribed = plugin.state == State.LEFT_OUT || plugin.state == State.DISABLED;
        String sentence = plugin.archive + (isDescribed ? " is " : " ") + plugin.words();
        if (plugin.state == State.RUNS || plugin.state == State.WAITS || plugin.state == State.DISABLED) {
            return sentence;
        }
        throw INVALID_REQUEST.because(sentence);
    }

    String upgrade(String name, Path file) throws IOException {
        RunningPlugin plugin = known(name);
        PluginFile next = read(file);
        if (next.archive().isPresent() && !next.archive().get().name().equals(name)) {
            throw INVALID_REQUEST.because(file.getFileName() + " is the plugin "
                    + next.archive().get().name() + ", not " + name + ". Nothing was done.");
        }
        fitting(next);
        keeper.forget(plugin);
        exchange(plugin, directory.resolve(file.getFileName()), file);
        String sentence = result(name);
        if (!plugin.archive.sha256().equals(next.archive().orElseThrow().sha256())) {
            throw INVALID_REQUEST.because(sentence);
        }
        return sentence;
    }

    /** Replaces the file of a plugin by another, which may have another name. */
    private void exchange(RunningPlugin plugin, Path target, Path file) throws IOException {
        putInto(target, file);
        if (plugin.file != null && !plugin.file.path().equals(target)) {
            Files.deleteIfExists(plugin.file.path());
            Files.deleteIfExists(PluginFile.checksumOf(plugin.file.path()));
        }
        look.accept(target);
    }

    String rollback(String name) throws IOException {
        Optional<RunningPlugin> plugin = keeper.plugin(name);
        String running = plugin.filter(RunningPlugin::isInstalled)
                .map(each -> each.archive.sha256())
                .orElse("");
        boolean hasOtherFile = plugin.map(each -> each.file)
                .flatMap(PluginFile::archive)
                .map(archive -> !archive.sha256().equals(running))
                .orElse(true);
        KeptVersions.Version version = kept.notes(name).versions().stream()
                .filter(each -> hasOtherFile || !each.sha256().equals(running))
                .findFirst()
                .orElseThrow(() -> INVALID_REQUEST.because("No other version of the plugin " + name + " is kept."));
        Path target = directory.resolve(version.file().getFileName());
        if (plugin.isPresent()) {
            keeper.forget(plugin.get());
            exchange(plugin.get(), target, version.file());
        } else {
            putInto(target, version.file());
            look.accept(target);
        }
        return result(name);
    }

    private RunningPlugin known(String name) {
        return keeper.plugin(name)
                .orElseThrow(() -> INVALID_REQUEST.because(
                        "There is no plugin " + name + ". felice:plugin-list shows" + " the plugins of this node."));
    }

    String disable(String name) throws IOException {
        refuseIfUsed(known(name), "disabled");
        kept.note(name, kept.notes(name).disabled(true));
        look.accept(directory);
        return result(name);
    }

    private void refuseIfUsed(RunningPlugin plugin, String what) {
        List<String> users = keeper.usersOf(plugin);
        if (!users.isEmpty()) {
            throw INVALID_REQUEST.because("The plugin " + plugin.name + " cannot be " + what + ": it is in use by "
                    + String.join("; ", users) + ".");
        }
    }

    String enable(String name) throws IOException {
        Optional<RunningPlugin> plugin = keeper.plugin(name);
        if (plugin.isEmpty()
                && keeper.list().stream().noneMatch(each -> each.name().equals(name))) {
            known(name);
        }
        if (plugin.isPresent()) {
            keeper.forget(plugin.get());
        } else {
            keeper.directory().forget(fileOf(name).getFileName().toString());
        }
        look.accept(directory);
        return result(name);
    }

    String remove(String name) throws IOException {
        Optional<RunningPlugin> plugin = keeper.plugin(name);
        Path file = plugin.map(each -> each.file).map(PluginFile::path).orElseGet(() -> fileOf(name));
        plugin.ifPresent(each -> refuseIfUsed(each, "removed"));
        Files.deleteIfExists(file);
        Files.deleteIfExists(PluginFile.checksumOf(file));
        KeptVersions.force(directory);
        look.accept(directory);
        return "The plugin " + name + " is gone. felice:plugin-rollback " + name + " brings it back.";
    }

    /** The file that was left out. */
    private Path fileOf(String name) {
        return keeper.list().stream()
                .filter(each -> (each.name().equals(name) || each.file().equals(name))
                        && !each.file().isEmpty())
                .map(each -> directory.resolve(each.file()))
                .findFirst()
                .orElseGet(() -> known(name).file.path());
    }
}
