package io.felice.api.plugin;

import java.util.List;

/**
 * A plugin as it is now, or a file in {@code plugins/} that was left out.
 *
 * @param name the symbolic name of its bundle; for an archive without one bundle that provides extensions, and for a file
 *     that cannot be read, the name of the file
 * @param version the version that runs, or that would run; empty if it is not known
 * @param file the name of its file in {@code plugins/}; empty if the file is not there any more
 * @param state what becomes of it
 * @param sentence the state in words for people, for example {@code waits for configuration org.example.mine}
 * @param provides the extensions, as its descriptors say
 * @param signer who signed it, as in {@code signed by CN=Example}; empty if nobody did
 * @param kept the versions that a rollback can bring back, the newest first
 */
public record Plugin(
        String name,
        String version,
        String file,
        State state,
        String sentence,
        List<ProvidedExtension> provides,
        String signer,
        List<String> kept) {
    /** What becomes of a plugin. */
    public enum State {
        /** All its components are ready. */
        RUNS,
        /** It is started and waits for a configuration or a service. */
        WAITS,
        /** It is started, and one of its components throws or hangs. */
        FAILS,
        /** It does not run; the sentence says why. */
        LEFT_OUT,
        /** It does not run, because somebody disabled it. */
        DISABLED,
        /** It is being installed, upgraded or removed. */
        CHANGES
    }

    public Plugin {
        provides = List.copyOf(provides);
        kept = List.copyOf(kept);
    }
}
