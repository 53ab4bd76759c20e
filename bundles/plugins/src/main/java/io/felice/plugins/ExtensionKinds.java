package io.felice.plugins;

import io.felice.api.plugin.ProvidedExtension;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * The kinds of extensions: the services of Felice's interfaces that plugins register. A kind is called by the words of its
 * interface, and its name is in the property of these words: {@code StorageEngine} is a storage engine, with the property
 * {@code storage.engine}. Stateless.
 */
final class ExtensionKinds {
    private static final String OURS = "io.felice.";

    /** The properties that are not called like their interface. */
    private static final Map<String, String> NAME_PROPERTIES = Map.of(
            "Authenticator", "sasl.mechanism",
            "Authorizer", "authorizer.name",
            "RequestHandler", "felice.api.key");

    private ExtensionKinds() {}

    static boolean isExtension(String interfaceName) {
        return interfaceName.startsWith(OURS);
    }

    /** @param property the value of a property of the service; null if it has none */
    static ProvidedExtension of(String interfaceName, Function<String, Object> property) {
        Object name = property.apply(nameProperty(interfaceName));
        return new ProvidedExtension(kind(interfaceName), name == null ? "" : name.toString());
    }

    /** The property that has the name, for the interface of an extension. */
    static String nameProperty(String interfaceName) {
        return NAME_PROPERTIES.getOrDefault(simple(interfaceName), String.join(".", words(simple(interfaceName))));
    }

    private static String kind(String interfaceName) {
        return String.join(" ", words(simple(interfaceName)));
    }

    private static String simple(String interfaceName) {
        return interfaceName.substring(interfaceName.lastIndexOf('.') + 1);
    }

    private static List<String> words(String camelCase) {
        List<String> words = new ArrayList<>();
        for (String word : camelCase.split("(?<=[a-z0-9])(?=[A-Z])")) {
            words.add(word.toLowerCase(Locale.ROOT));
        }
        return words;
    }
}
