package io.felice.plugins;

import java.util.List;
import java.util.stream.Stream;
import org.apache.felix.utils.manifest.Clause;
import org.apache.felix.utils.manifest.Parser;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;
import org.osgi.framework.VersionRange;

/** The clauses of manifest headers. Stateless. */
final class Header {
    private Header() {}

    /** @throws IllegalArgumentException if the text is no header */
    static List<Clause> clauses(String header) {
        return header == null || header.isBlank()
                ? List.of()
                : Stream.of(Parser.parseHeader(header)).toList();
    }

    /** The first name of a header, for example of {@code Bundle-SymbolicName}; empty if there is none. */
    static String name(String header) {
        return clauses(header).stream().findFirst().map(Clause::getName).orElse("");
    }

    /** The versions that an import takes. */
    static VersionRange range(Clause clause) {
        String text = clause.getAttribute(Constants.VERSION_ATTRIBUTE);
        return new VersionRange(text == null ? "0.0.0" : text);
    }

    static Version version(Clause clause) {
        String text = clause.getAttribute(Constants.VERSION_ATTRIBUTE);
        return text == null ? Version.emptyVersion : Version.parseVersion(text);
    }

    static boolean isOptional(Clause clause) {
        return Constants.RESOLUTION_OPTIONAL.equals(clause.getDirective(Constants.RESOLUTION_DIRECTIVE));
    }
}
