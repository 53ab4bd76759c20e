package io.felice.testkit;

import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;

/** The mistakes are put into a source with one counter. */
class StatusSourceBugsTest extends StatusSourceBugsContract {
    private static final TableSchema SCHEMA = TableSchema.of("example", "What each worker has done")
            .label("worker", "The worker")
            .counter("tasks", "Tasks that it has done");

    private final AtomicLong done = new AtomicLong();

    @Override
    protected StatusSourceContract contract(UnaryOperator<StatusSource> mistake) {
        return new StatusSourceContract() {
            @Override
            protected StatusSource source() {
                return mistake.apply(StatusSourceBugsTest.this::tables);
            }

            @Override
            protected void work(StatusSource source) {
                done.incrementAndGet();
            }
        };
    }

    private List<StatusTable> tables() {
        return List.of(SCHEMA.rows(List.of(List.of("first", done.get()), List.of("second", 0L))));
    }
}
