package io.felice.plugins;

import io.felice.api.plugin.ProvidedExtension;
import java.util.List;

/** Says what uses the extensions of plugins. Any thread; does not block for long. */
@FunctionalInterface
interface PluginUse {
    /** What needs one of these, as parts of a sentence; empty if nothing does. */
    List<String> of(List<ProvidedExtension> extensions);
}
