package io.felice.shell;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.status.StatusSource;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableSchema;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShownTablesTest {
    @Test
    void aSourceThatThrowsHidesNoTableOfAnother() {
        StatusTable table =
                TableSchema.of("good", "A table").gauge("n", "A number").row(1L);
        StatusSource bad = () -> {
            throw new IllegalStateException("on purpose");
        };

        assertThat(ShownTables.of(List.of(bad, () -> List.of(table)))).containsExactly(table);
    }
}
