package io.felice.plugins;

import io.felice.api.plugin.Plugin;
import io.felice.api.plugin.Plugin.State;
import java.util.List;
import org.osgi.framework.Bundle;

/** What the keeper knows of a plugin. Only the keeper's thread uses it. */
final class RunningPlugin {
    final String name;

    /** Its file in {@code plugins/}; null if it is gone. */
    PluginFile file;

    /** The version that runs, or was tried last. */
    PluginArchive archive;

    /** Empty if nothing of it is installed. The libraries come first. */
    List<Bundle> bundles = List.of();

    State state = State.CHANGES;
    String sentence = "";

    /** What an operator should know beside the state; empty if there is nothing. */
    String note = "";

    /** The components that are being made; null if nothing was asked for. */
    WatchedStep activation;

    /** When the components were asked for, in milliseconds. */
    long activatedMs;

    /** What its file was when it was tried last, with or without success. */
    String tried = "";

    RunningPlugin(String name) {
        this.name = name;
    }

    boolean isInstalled() {
        return !bundles.isEmpty();
    }

    void is(State newState, String words) {
        state = newState;
        sentence = words;
    }

    /** The state, as the reason of something else. */
    String because() {
        return state == State.WAITS ? "it " + sentence : sentence.replaceFirst("^[a-z ]+: ", "");
    }

    /** @param notes what is remembered of it */
    Plugin seenFromOutside(KeptVersions.Notes notes) {
        List<String> otherVersions = notes.versions().stream()
                .filter(version -> !version.sha256().equals(archive.sha256()))
                .map(KeptVersions.Version::version)
                .toList();
        return new Plugin(
                name,
                archive.version(),
                file == null ? "" : file.fileName(),
                state,
                words(),
                archive.provides(),
                archive.signer().badge(),
                otherVersions);
    }

    /** The state and the note, for people. */
    String words() {
        return note.isEmpty() ? sentence : sentence + " (" + note + ")";
    }
}
