package io.felice.controller;

import io.felice.api.cluster.Admin;
import io.felice.api.cluster.Admin.AppliedVersion;
import io.felice.api.cluster.Admin.Decided;
import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.status.StatusTable;
import io.felice.api.status.TableColumn.Unit;
import io.felice.api.status.TableSchema;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * Tells the controller again and again which version of the metadata the broker of this node has applied, and shows what the
 * controller answers about all brokers. Any thread.
 */
final class MetadataReports {
    private static final TableSchema TABLE = TableSchema.of(
                    "controller.brokers", "The metadata of the live brokers, as they report to the controller")
            .label("broker", "The broker id")
            .gauge("applied", "The version of the metadata that the broker has applied")
            .gauge("behind", "Versions that the controller had more")
            .gauge("age.ms", Unit.MILLISECONDS, "How long ago the broker has reported");
    private static final Duration EVERY = Duration.ofSeconds(5);

    private final ControllerThread thread;
    private final Admin admin;
    private volatile ClusterMetadata broker;
    private volatile StatusTable table = TABLE.rows(List.of());

    MetadataReports(ControllerThread thread, Admin admin) {
        this.thread = thread;
        this.admin = admin;
    }

    void bind(ClusterMetadata arrived) {
        broker = arrived;
        thread.execute(() -> report(arrived));
    }

    void unbind(ClusterMetadata gone) {
        if (broker == gone) {
            broker = null;
        }
    }

    StatusTable table() {
        return table;
    }

    private void report(ClusterMetadata of) {
        if (broker == of) {
            admin.reportApplied(of.brokerId(), of.view().version()).whenComplete((all, failure) -> show(all));
            thread.after(EVERY, () -> report(of));
        }
    }

    /** @param all null if the controller was not reached; then nothing is known of the other brokers */
    private void show(Decided<Integer, AppliedVersion> all) {
        List<List<Object>> rows = new ArrayList<>();
        if (all != null) {
            new TreeMap<>(all.outcomes()).forEach((id, outcome) -> {
                AppliedVersion applied = outcome.value();
                long behind = Math.max(0, all.version() - applied.version());
                rows.add(List.of(Integer.toString(id), applied.version(), behind, applied.ageMs()));
            });
        }
        table = TABLE.rows(rows);
    }
}
