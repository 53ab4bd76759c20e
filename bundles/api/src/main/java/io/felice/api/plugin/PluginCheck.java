package io.felice.api.plugin;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What a file is, and whether it fits this node.
 *
 * @param name the plugin's name, as in {@link Plugin}
 * @param version empty if the file is no plugin
 * @param provides the extensions, as its descriptors say
 * @param configurations the PIDs that its components read, each with the keys that have no default, for example
 *     {@code org.example.mine: url, user}
 * @param signer as in {@link Plugin}
 * @param findings what speaks against it, and what an operator should know
 */
public record PluginCheck(
        String name,
        String version,
        List<ProvidedExtension> provides,
        List<String> configurations,
        String signer,
        List<Finding> findings) {
    /**
     * Something that was found in the file.
     *
     * @param refuses true if the plugin is left out because of it
     * @param sentence plain words: what is wrong, and what to do
     * @param raw the text of the file, the framework or Java behind the sentence; empty if there is none
     */
    public record Finding(boolean refuses, String sentence, String raw) {}

    public PluginCheck {
        provides = List.copyOf(provides);
        configurations = List.copyOf(configurations);
        findings = List.copyOf(findings);
    }

    /** True if nothing that was found refuses it. */
    public boolean fits() {
        return findings.stream().noneMatch(Finding::refuses);
    }

    /** Why it is refused: all sentences, with their raw text in brackets. Empty if it fits. */
    public String refusal() {
        return findings.stream()
                .filter(Finding::refuses)
                .map(each -> each.raw().isEmpty() ? each.sentence() : each.sentence() + " [" + each.raw() + "]")
                .collect(Collectors.joining(" "));
    }
}
