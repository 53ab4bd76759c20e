package io.felice.api.plugin;

import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** A change of a plugin that goes on by itself. Any thread; the methods do not block. */
@ProviderType
public interface PluginWork {
    /** The stages of a change, in their order; a change skips those that it does not need. */
    enum Stage {
        WAITS("waits for other work"),
        CHECKS("checks the file"),
        STOPS("stops the plugin"),
        INSTALLS("installs the bundles"),
        STARTS("starts the plugin"),
        RETURNS("brings the old version back"),
        DONE("done");

        private final String words;

        Stage(String words) {
            this.words = words;
        }

        /** The stage as the end of a sentence. */
        public String words() {
            return words;
        }
    }

    Stage stage();

    /**
     * Completes with a sentence for the operator, or fails with a {@link io.felice.api.FeliceException} whose message is
     * one: INVALID_REQUEST.
     */
    CompletionStage<String> outcome();
}
