package io.felice.testkit;

import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;

/** Shows that {@link StatusSourceContract} catches wrong sources. A subclass makes one with a label and a counter. */
public abstract class StatusSourceBugsContract extends PluginBugsContract<StatusSource, StatusSourceContract> {
    private static final int LEAST_BUGS = 8;

    protected StatusSourceBugsContract() {
        super(StatusSourceContract.class, LEAST_BUGS);
    }

    /** @param mistake gets the tables, and how often they were asked for before */
    private static PluginBug<StatusSource> bug(
            String name, String caughtBy, BiFunction<List<StatusTable>, Long, List<StatusTable>> mistake) {
        return new PluginBug<>(name, caughtBy, good -> {
            AtomicLong asked = new AtomicLong();
            return () -> mistake.apply(good.tables(), asked.getAndIncrement());
        });
    }

    private static StatusTable renamed(StatusTable table, String name) {
        TableSchema schema = table.schema();
        return new TableSchema(name, schema.description(), schema.columns()).rows(table.rows());
    }

    private static StatusTable counting(String name, Object value) {
        return TableSchema.of(name, "Numbers").counter("done", "What was done").row(value);
    }

    private static List<StatusTable> and(List<StatusTable> tables, StatusTable... more) {
        List<StatusTable> all = new ArrayList<>(tables);
        all.addAll(List.of(more));
        return all;
    }

    @Override
    List<PluginBug<StatusSource>> bugs() {
        String same = "theTablesAreTheSameWhateverHasHappened";
        return List.of(
                bug("has no tables", same, (tables, asked) -> List.of()),
                bug("numbers its tables", same, (tables, asked) -> tables.stream()
                        .map(table -> renamed(table, table.name() + "." + asked))
                        .toList()),
                bug(
                        "has its tables in another order each time",
                        same,
                        (tables, asked) -> asked % 2 == 0
                                ? and(tables, counting("more", 1L))
                                : and(List.of(counting("more", 1L)), tables.toArray(StatusTable[]::new))),
                bug(
                        "shows a table when there is something in it",
                        same,
                        (tables, asked) -> asked == 0 ? tables : and(tables, counting("more", 1L))),
                bug(
                        "shows a table twice",
                        "noTwoMetricsHaveTheSameName",
                        (tables, asked) -> and(tables, tables.toArray(StatusTable[]::new))),
                bug(
                        "has names that differ in dots alone",
                        "noTwoMetricsHaveTheSameName",
                        (tables, asked) -> and(
                                tables,
                                counting("a.b", 1L),
                                TableSchema.of("a", "Numbers")
                                        .counter("b.done", "What was done")
                                        .row(1L))),
                bug("has a row twice", "labelsTellTheRowsOfATableApart", (tables, asked) -> tables.stream()
                        .map(table -> {
                            List<List<Object>> rows = new ArrayList<>(table.rows());
                            rows.addAll(table.rows());
                            return table.schema().rows(rows);
                        })
                        .toList()),
                bug("counts down", "countersOnlyGrow", (tables, asked) -> and(tables, counting("left", 100L - asked))),
                bug(
                        "counts from below nothing",
                        "countersOnlyGrow",
                        (tables, asked) -> and(tables, counting("more", -9L))),
                bug(
                        "calls a gauge a counter",
                        "countersOnlyGrow",
                        (tables, asked) -> and(tables, counting("queued", asked % 2 == 0 ? 5L : 3L))));
    }
}
