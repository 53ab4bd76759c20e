package io.felice.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.status.Histogram;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What Prometheus gets of the status tables. */
class MetricsTest {
    private static final TableSchema TABLE = TableSchema.of("some.table", "A table")
            .label("the.api", "A label")
            .counter("in.bytes", Unit.BYTES, "Bytes")
            .gauge("on", "Whether it is on")
            .histogram("time.ms", Unit.MILLISECONDS, "Times")
            .text("reason", "Why");

    private static String text(StatusTable... tables) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ExpositionFormats.init()
                .getPrometheusTextFormatWriter()
                .write(out, MetricsServlet.snapshots(List.of(tables)), EscapingScheme.DEFAULT);
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void columnsAreMetricsWithTheNamesThatTheTableHas() throws Exception {
        Histogram times = new Histogram(List.of(1.0, 10.0), List.of(2L, 3L, 1L), 40);

        String text = text(TABLE.row("Produce \"x\"", 7L, true, times, "because"));

        assertThat(text)
                .contains("felice_some_table_in_bytes_total{the_api=\"Produce \\\"x\\\"\"} 7.0")
                .contains("felice_some_table_on{the_api=\"Produce \\\"x\\\"\"} 1.0")
                .contains("le=\"10.0\"} 5")
                .contains("felice_some_table_time_ms_count{the_api=\"Produce \\\"x\\\"\"} 6")
                .doesNotContain("because");
    }

    @Test
    void tablesWithoutABoundOfRowsAreLeftOut() throws Exception {
        TableSchema addresses = TableSchema.of("security.failures", "Addresses")
                .label("address", "An address")
                .counter("failures", "Failures");
        List<List<Object>> many = new ArrayList<>();
        for (long i = 0; i < 201; i++) {
            many.add(List.of("label " + i, i));
        }
        TableSchema large =
                TableSchema.of("large", "Many rows").label("a", "A label").counter("b", "A number");

        assertThat(text(addresses.rows(List.of(List.of("10.0.0.1", 1L))), large.rows(many)))
                .isBlank();
    }
}
