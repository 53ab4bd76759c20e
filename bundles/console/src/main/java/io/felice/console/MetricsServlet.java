package io.felice.console;

import io.felice.api.status.Histogram;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn;
import io.felice.console.access.ConsoleRole;
import io.felice.console.access.Identification;
import io.felice.console.http.Json;
import io.felice.console.http.Problem;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * The numbers of the status tables for Prometheus. Each counter, gauge and histogram of a table is a metric, and the labels
 * of the table are its labels. Left out are tables with a row for each partition, client or file: their number is not bound.
 */
final class MetricsServlet extends HttpServlet {
    private static final long serialVersionUID = 1L;
    private static final int MOST_ROWS = 200;

    /** docs/metrics.md names them. */
    static final Set<String> LEFT_OUT = Set.of(
            "broker.compaction.logs",
            "broker.damage",
            "broker.followers",
            "broker.moves",
            "broker.offline",
            "health",
            "plugins.plugins",
            "security.failures",
            "security.quotas.throttled");

    private final transient StatusTables tables;
    private final transient Identification identification;
    private final transient BooleanSupplier isOpen;
    private final transient ExpositionFormats formats = ExpositionFormats.init();

    MetricsServlet(StatusTables tables, Identification identification, BooleanSupplier isOpen) {
        this.tables = tables;
        this.identification = identification;
        this.isOpen = isOpen;
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        response.setHeader("Cache-Control", "no-store");
        try {
            if (!isOpen.getAsBoolean()) {
                identification.identify(request, response, ConsoleRole.VIEWER);
            }
        } catch (Problem refused) {
            response.setStatus(refused.status());
            response.setContentType("application/problem+json");
            response.getOutputStream().write(Json.bytes(refused.body()));
            return;
        }
        ExpositionFormatWriter writer = formats.findWriter(request.getHeader("Accept"));
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        writer.write(text, snapshots(tables.all()), EscapingScheme.DEFAULT);
        response.setContentType(writer.getContentType());
        response.setContentLength(text.size());
        text.writeTo(response.getOutputStream());
    }

    static MetricSnapshots snapshots(List<StatusTable> tables) {
        MetricSnapshots.Builder snapshots = MetricSnapshots.builder();
        for (StatusTable table : tables) {
            if (!LEFT_OUT.contains(table.name()) && table.rows().size() <= MOST_ROWS) {
                List<TableColumn> columns = table.schema().columns();
                for (int i = 0; i < columns.size(); i++) {
                    if (StatusTables.isMetric(columns.get(i)) && !table.rows().isEmpty()) {
                        snapshots.metricSnapshot(snapshot(table, columns.get(i), i));
                    }
                }
            }
        }
        return snapshots.build();
    }

    private static MetricSnapshot snapshot(StatusTable table, TableColumn column, int at) {
        String name = table.schema().metric(column);
        return switch (column.kind()) {
            case COUNTER -> {
                CounterSnapshot.Builder counter = CounterSnapshot.builder()
                        .name(name.replaceFirst("_total$", ""))
                        .help(column.description());
                table.rows()
                        .forEach(row -> counter.dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                                .labels(labels(table, row))
                                .value(number(row.get(at)))
                                .build()));
                yield counter.build();
            }
            case GAUGE -> {
                GaugeSnapshot.Builder gauge = GaugeSnapshot.builder().name(name).help(column.description());
                table.rows()
                        .forEach(row -> gauge.dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder()
                                .labels(labels(table, row))
                                .value(number(row.get(at)))
                                .build()));
                yield gauge.build();
            }
            case HISTOGRAM -> {
                HistogramSnapshot.Builder histogram =
                        HistogramSnapshot.builder().name(name).help(column.description());
                table.rows().forEach(row -> histogram.dataPoint(point((Histogram) row.get(at), labels(table, row))));
                yield histogram.build();
            }
            case LABEL, TEXT -> throw new IllegalStateException(column.name() + " is no metric");
        };
    }

    private static HistogramSnapshot.HistogramDataPointSnapshot point(Histogram histogram, Labels labels) {
        List<Double> bounds = new ArrayList<>(histogram.bounds());
        bounds.add(Double.POSITIVE_INFINITY);
        return HistogramSnapshot.HistogramDataPointSnapshot.builder()
                .labels(labels)
                .classicHistogramBuckets(ClassicHistogramBuckets.of(bounds, histogram.counts()))
                .sum(histogram.sum())
                .build();
    }

    private static double number(Object cell) {
        return cell instanceof Boolean flag ? flag ? 1 : 0 : ((Number) cell).doubleValue();
    }

    private static Labels labels(StatusTable table, List<Object> row) {
        Labels.Builder labels = Labels.builder();
        List<TableColumn> columns = table.schema().columns();
        for (int i = 0; i < columns.size() && columns.get(i).kind() == TableColumn.Kind.LABEL; i++) {
            labels.label(columns.get(i).name().replace('.', '_'), row.get(i).toString());
        }
        return labels.build();
    }
}
