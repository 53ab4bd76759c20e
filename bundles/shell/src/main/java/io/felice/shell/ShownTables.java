package io.felice.shell;

import io.felice.api.FoldedErrors;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/** The tables of all bundles. */
final class ShownTables {
    private static final FoldedErrors errors = new FoldedErrors(LoggerFactory.getLogger(ShownTables.class));

    private ShownTables() {}

    /** A source that throws is left out, and its failure is logged. */
    static Stream<StatusTable> of(List<StatusSource> sources) {
        return sources.stream().filter(Objects::nonNull).flatMap(ShownTables::of);
    }

    private static Stream<StatusTable> of(StatusSource source) {
        try {
            return source.tables().stream();
        } catch (RuntimeException | Error failure) {
            errors.error("The tables of " + source.getClass().getName() + " cannot be shown", failure);
            return Stream.empty();
        }
    }
}
