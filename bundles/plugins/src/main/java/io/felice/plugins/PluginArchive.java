package io.felice.plugins;

import io.felice.api.plugin.ProvidedExtension;
import java.util.List;
import java.util.Optional;

/**
 * A jar or an archive of jars that was read completely.
 *
 * @param name the symbolic name of the one bundle that provides extensions; else the name of the file
 * @param sha256 of the whole file, in hexadecimal digits
 * @param bundles the libraries first
 */
record PluginArchive(String name, String version, String sha256, List<BundleJar> bundles) {
    PluginArchive {
        bundles = List.copyOf(bundles);
    }

    /** @param name of the file, without the ending and a version */
    static PluginArchive of(String name, String sha256, List<BundleJar> bundles) {
        List<BundleJar> providers =
                bundles.stream().filter(BundleJar::providesExtensions).toList();
        Optional<BundleJar> main = bundles.size() == 1
                ? Optional.of(bundles.get(0))
                : providers.size() == 1 ? Optional.of(providers.get(0)) : Optional.empty();
        List<BundleJar> librariesFirst = bundles.stream()
                .sorted((one, other) -> Boolean.compare(one.providesExtensions(), other.providesExtensions()))
                .toList();
        return new PluginArchive(
                main.map(BundleJar::symbolicName).orElse(name),
                main.map(bundle -> bundle.version().toString()).orElse(""),
                sha256,
                librariesFirst);
    }

    List<ProvidedExtension> provides() {
        return bundles.stream()
                .flatMap(bundle -> bundle.components().stream())
                .flatMap(component -> component.provides().stream())
                .distinct()
                .toList();
    }

    /** Who signed all bundles; nobody if it is not the same for all. */
    Signer signer() {
        List<Signer> signers =
                bundles.stream().map(BundleJar::signer).distinct().toList();
        return signers.size() == 1 ? signers.get(0) : Signer.NOBODY;
    }

    /** The name and the version, as in a sentence. */
    @Override
    public String toString() {
        return version.isEmpty() ? name : name + " " + version;
    }
}
