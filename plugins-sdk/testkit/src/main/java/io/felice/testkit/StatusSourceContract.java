package io.felice.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn;
import io.felice.api.status.TableColumn.Kind;
import io.felice.api.status.TableSchema;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/**
 * The tests that every source of status tables must pass, so that metrics can be made of its tables. Each test checks a
 * promise of {@link StatusSource}.
 */
public abstract class StatusSourceContract {
    private static final int ROUNDS = 20;

    /** A source that has just begun. */
    protected abstract StatusSource source();

    /** Has the source do something that it counts. */
    protected abstract void work(StatusSource source);

    private static List<TableSchema> schemas(StatusSource source) {
        return source.tables().stream().map(StatusTable::schema).toList();
    }

    @Test
    void theTablesAreTheSameWhateverHasHappened() {
        StatusSource source = source();
        List<TableSchema> before = schemas(source);

        work(source);

        assertThat(before).isNotEmpty();
        assertThat(schemas(source)).isEqualTo(before);
        assertThat(schemas(source())).isEqualTo(before);
    }

    @Test
    void noTwoMetricsHaveTheSameName() {
        List<String> metrics = new ArrayList<>();
        for (TableSchema schema : schemas(source())) {
            schema.columns().stream()
                    .filter(column -> column.kind() != Kind.LABEL && column.kind() != Kind.TEXT)
                    .forEach(column -> metrics.add(schema.metric(column)));
        }
        assertThat(metrics).doesNotHaveDuplicates();
    }

    @Test
    void labelsTellTheRowsOfATableApart() {
        StatusSource source = source();
        work(source);
        work(source);
        for (StatusTable table : source.tables()) {
            Set<List<Object>> seen = new HashSet<>();
            for (List<Object> row : table.rows()) {
                List<Object> labels = labels(table, row);
                assertThat(seen.add(labels))
                        .as("the table " + table.name() + " has one row for " + labels)
                        .isTrue();
            }
        }
    }

    private static List<Object> labels(StatusTable table, List<Object> row) {
        List<Object> labels = new ArrayList<>();
        List<TableColumn> columns = table.schema().columns();
        for (int i = 0; i < columns.size() && columns.get(i).kind() == Kind.LABEL; i++) {
            labels.add(row.get(i));
        }
        return labels;
    }

    @Test
    void countersOnlyGrow() {
        StatusSource source = source();
        Map<List<Object>, Double> before = counters(source);
        for (int i = 0; i < 3; i++) {
            work(source);
            Map<List<Object>, Double> after = counters(source);
            before.forEach((counter, value) -> {
                if (after.containsKey(counter)) {
                    assertThat(after.get(counter)).as(counter.toString()).isGreaterThanOrEqualTo(value);
                }
            });
            before = after;
        }
        assertThat(before.values()).allMatch(value -> value >= 0);
    }

    private static Map<List<Object>, Double> counters(StatusSource source) {
        Map<List<Object>, Double> counters = new HashMap<>();
        for (StatusTable table : source.tables()) {
            for (List<Object> row : table.rows()) {
                List<TableColumn> columns = table.schema().columns();
                for (int i = 0; i < columns.size(); i++) {
                    if (columns.get(i).kind() == Kind.COUNTER) {
                        List<Object> key = new ArrayList<>(labels(table, row));
                        key.add(0, table.schema().metric(columns.get(i)));
                        counters.put(key, ((Number) row.get(i)).doubleValue());
                    }
                }
            }
        }
        return counters;
    }

    @Test
    void tablesMayBeAskedForWhileTheSourceWorks() throws Exception {
        StatusSource source = source();
        List<Callable<Void>> both = new ArrayList<>();
        for (Runnable task : List.<Runnable>of(() -> work(source), source::tables, source::tables)) {
            both.add(() -> {
                for (int i = 0; i < ROUNDS; i++) {
                    task.run();
                }
                return null;
            });
        }
        AtTheSameTime.run(Collections.unmodifiableList(both));
    }
}
