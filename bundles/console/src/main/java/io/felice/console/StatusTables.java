package io.felice.console;

import io.felice.api.FoldedErrors;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.status.Histogram;
import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn;
import io.felice.console.http.Answer;
import io.felice.console.http.ApiRequest;
import io.felice.console.http.Endpoint;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.LoggerFactory;

/** The tables of numbers that the bundles of this node show. One that fails is left out. Any thread. */
final class StatusTables {
    private static final FoldedErrors errors = new FoldedErrors(LoggerFactory.getLogger(StatusTables.class));

    private static final long MOMENT_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final NodeServices services;
    private final Map<StatusSource, Shot> shots = new ConcurrentHashMap<>();
    /** Those whose last call failed. One failure is none: what the source needs may leave with it at this moment. */
    private final Set<StatusSource> failing = ConcurrentHashMap.newKeySet();
    /** The names of the tables of a source, which are the same in every call. */
    private final Map<StatusSource, Set<String>> namesBySource = new ConcurrentHashMap<>();

    StatusTables(NodeServices services) {
        this.services = services;
    }

    void addTo(Map<String, Endpoint> endpoints) {
        endpoints.put("getStatus", this::status);
    }

    /** All tables, by name. */
    List<StatusTable> all() {
        List<StatusTable> tables = new ArrayList<>();
        for (StatusSource source : services.all(StatusSource.class)) {
            tables.addAll(tables(source));
        }
        tables.sort(Comparator.comparing(StatusTable::name));
        return tables;
    }

    /** A row of a table. */
    record Row(StatusTable table, List<Object> cells) {
        private Object cell(String column) {
            List<TableColumn> columns = table.schema().columns();
            for (int i = 0; i < columns.size(); i++) {
                if (columns.get(i).name().equals(column)) {
                    return cells.get(i);
                }
            }
            return null;
        }

        String text(String column) {
            return String.valueOf(cell(column));
        }

        long number(String column) {
            return cell(column) instanceof Number number ? number.longValue() : 0;
        }
    }

    /** Empty if nobody shows the table now. Asks only those who show it: some tables cost time on a large node. */
    List<Row> rows(String name) {
        List<StatusSource> sources = services.all(StatusSource.class);
        namesBySource.keySet().retainAll(sources);
        shots.keySet().retainAll(sources);
        failing.retainAll(sources);
        List<Row> rows = new ArrayList<>();
        for (StatusSource source : sources) {
            Set<String> names = namesBySource.get(source);
            if (names == null || names.contains(name)) {
                List<StatusTable> tables = tables(source);
                if (names == null) {
                    namesBySource.put(
                            source, tables.stream().map(StatusTable::name).collect(Collectors.toUnmodifiableSet()));
                }
                tables.stream().filter(table -> table.name().equals(name)).forEach(table -> table.rows()
                        .forEach(cells -> rows.add(new Row(table, cells))));
            }
        }
        return rows;
    }

    /** What a source has shown a moment ago is shown again: several numbers of one moment cost one call. */
    private List<StatusTable> tables(StatusSource source) {
        Shot last = shots.get(source);
        long now = System.nanoTime();
        if (last != null && now - last.at() < MOMENT_NANOS) {
            return last.tables();
        }
        try {
            Shot shot = new Shot(now, source.tables());
            shots.put(source, shot);
            failing.remove(source);
            return shot.tables();
        } catch (RuntimeException accident) {
            if (!failing.add(source)) {
                errors.error("A table of numbers cannot be shown", accident);
            }
            return List.of();
        }
    }

    private record Shot(long at, List<StatusTable> tables) {}

    private record Column(String name, String kind, String unit, String description, String metric) {}

    private record Table(String name, String description, List<Column> columns, List<List<Object>> rows) {}

    private record Shown(int node, List<Table> tables) {}

    private Answer status(ApiRequest request) {
        String prefix = request.query("table").orElse("");
        return Answer.of(new Shown(
                services.find(ClusterMetadata.class)
                        .map(ClusterMetadata::brokerId)
                        .orElse(-1),
                all().stream()
                        .filter(table -> table.name().startsWith(prefix))
                        .map(StatusTables::shown)
                        .toList()));
    }

    private static Table shown(StatusTable table) {
        return new Table(
                table.name(),
                table.schema().description(),
                table.schema().columns().stream()
                        .map(column -> new Column(
                                column.name(),
                                column.kind().name().toLowerCase(Locale.ROOT),
                                column.unit().name().toLowerCase(Locale.ROOT),
                                column.description(),
                                isMetric(column) ? table.schema().metric(column) : null))
                        .toList(),
                table.rows().stream()
                        .map(row -> row.stream().map(StatusTables::shown).toList())
                        .toList());
    }

    static boolean isMetric(TableColumn column) {
        return column.kind() != TableColumn.Kind.LABEL && column.kind() != TableColumn.Kind.TEXT;
    }

    private static Object shown(Object cell) {
        return cell instanceof Histogram histogram
                ? Map.of("count", histogram.count(), "sum", histogram.sum(), "text", histogram.toString())
                : cell;
    }
}
