package io.felice.plugins;

import io.felice.api.plugin.PluginCheck.Finding;

/** A file that cannot be read as a plugin. */
final class UnfitFile extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient Finding finding;

    /** @param raw the text behind the sentence; empty if there is none */
    UnfitFile(String sentence, String raw) {
        super(sentence);
        this.finding = new Finding(true, sentence, raw);
    }

    Finding finding() {
        return finding;
    }
}
