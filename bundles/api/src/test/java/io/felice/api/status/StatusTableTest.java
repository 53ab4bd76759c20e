package io.felice.api.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.felice.api.status.TableColumn.Unit;
import java.util.List;
import org.junit.jupiter.api.Test;

class StatusTableTest {
    private static final TableSchema REQUESTS = TableSchema.of("network.requests", "Requests by API")
            .label("api", "The API")
            .counter("in.bytes", Unit.BYTES, "Bytes of the requests")
            .histogram("time.ms", Unit.MILLISECONDS, "How long they took")
            .gauge("slow", "Whether it is slow")
            .text("remark", "What else there is to say");
    private static final Histogram NO_TIMES = new Histogram(List.of(1.0), List.of(0L, 0L), 0);

    @Test
    void aMetricIsNamedAfterItsTableItsColumnAndItsKind() {
        assertThat(REQUESTS.columns().subList(1, 4).stream().map(REQUESTS::metric))
                .containsExactly(
                        "felice_network_requests_in_bytes_total",
                        "felice_network_requests_time_ms",
                        "felice_network_requests_slow");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> REQUESTS.metric(REQUESTS.columns().get(4)))
                .withMessage("column remark of table network.requests is no metric");
    }

    @Test
    void aCellIsFoundByItsRowAndItsColumn() {
        StatusTable table = REQUESTS.rows(
                List.of(List.of("Produce", 12L, NO_TIMES, true, ""), List.of("Fetch", 7L, NO_TIMES, false, "")));

        assertThat(table.cell("Fetch", "in.bytes")).contains(7L);
        assertThat(table.cell("Fetch", "out.bytes")).isEmpty();
        assertThat(table.cell("Metadata", "in.bytes")).isEmpty();
    }

    @Test
    void aTableWithoutALabelIsShownWithARowForEachColumn() {
        StatusTable table = TableSchema.of("broker.partitions", "Partitions")
                .gauge("leading", "Led")
                .gauge("offline", "Offline")
                .row(3L, 1L);

        assertThat(table.value("offline")).contains(1L);
        assertThat(table.cell("offline", "value")).contains(1L);
        assertThat(table.cell("3", "offline")).isEmpty();
    }

    @Test
    void aTableWithoutALabelHasOneRow() {
        TableSchema schema = TableSchema.of("broker.partitions", "Partitions").gauge("leading", "Led");

        assertThatIllegalArgumentException()
                .isThrownBy(() -> schema.rows(List.of(List.of(1L), List.of(2L))))
                .withMessage("table broker.partitions has no label, so it has one row, not 2");
    }

    @Test
    void aRowThatDoesNotFitTheColumnsIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> REQUESTS.row("Produce", "12", NO_TIMES, true, ""))
                .withMessage("a cell of column in.bytes of table network.requests is a java.lang.String, "
                        + "which is no COUNTER");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> REQUESTS.row("Produce"))
                .withMessage("a row of table network.requests has 1 cells, not 5");
    }

    @Test
    void aColumnWhoseNameDoesNotSayItsUnitIsRefused() {
        TableSchema schema = TableSchema.of("network.requests", "Requests");

        assertThatIllegalArgumentException()
                .isThrownBy(() -> schema.counter("in", Unit.BYTES, "Bytes"))
                .withMessage("column in has the unit BYTES, so its name has to end with bytes");
        assertThatIllegalArgumentException().isThrownBy(() -> schema.gauge("In Bytes", "Bytes"));
    }

    @Test
    void aLabelBehindANumberIsRefused() {
        TableSchema schema = TableSchema.of("network.requests", "Requests").gauge("open", "Open ones");

        assertThatIllegalArgumentException().isThrownBy(() -> schema.label("api", "The API"));
        assertThatIllegalArgumentException().isThrownBy(() -> schema.text("open", "Twice"));
    }

    @Test
    void aHistogramSaysBelowWhichBoundAPartOfItsValuesLies() {
        Histogram times = new Histogram(List.of(1.0, 10.0, 100.0), List.of(50L, 49L, 0L, 1L), 1_000);

        assertThat(times.count()).isEqualTo(100);
        assertThat(times.quantile(0.5)).isEqualTo(1.0);
        assertThat(times.quantile(0.99)).isEqualTo(10.0);
        assertThat(times.quantile(1)).isInfinite();
        assertThat(times).hasToString("p50 <= 1, p99 <= 10");
        assertThat(NO_TIMES).hasToString("-");
        assertThatIllegalArgumentException().isThrownBy(() -> new Histogram(List.of(1.0), List.of(1L), 1));
    }
}
