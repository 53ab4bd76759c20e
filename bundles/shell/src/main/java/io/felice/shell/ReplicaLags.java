package io.felice.shell;

import io.felice.api.status.StatusTable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.stream.Stream;

/**
 * What this node knows of replicas that do not have all records: of the followers of partitions that it leads, of the
 * replicas that it has itself, and of those that a reassignment adds.
 */
final class ReplicaLags {
    private final Map<String, StringJoiner> byPartition = new HashMap<>();

    /** @param tables of this node */
    static ReplicaLags of(Stream<StatusTable> tables) {
        ReplicaLags lags = new ReplicaLags();
        tables.forEach(table -> {
            switch (table.name()) {
                case "broker.followers" -> lags.addFollowers(new Rows(table));
                case "broker.followed" -> lags.addOwn(new Rows(table));
                case "broker.reassignments" -> lags.addReassignments(new Rows(table));
                default -> {}
            }
        });
        return lags;
    }

    /** The rows of a table, whose cells have names. */
    private record Rows(StatusTable table) {
        long number(List<Object> row, String column) {
            return ((Number) cell(row, column)).longValue();
        }

        Object cell(List<Object> row, String column) {
            for (int i = 0; i < row.size(); i++) {
                if (table.schema().columns().get(i).name().equals(column)) {
                    return row.get(i);
                }
            }
            throw new IllegalArgumentException("The table " + table.name() + " has no column " + column);
        }
    }

    private void addFollowers(Rows rows) {
        for (List<Object> row : rows.table().rows()) {
            long lag = rows.number(row, "lag");
            if (lag != 0) {
                String what = lag < 0 ? "has not fetched" : records(lag, rows.number(row, "lag.ms"));
                add(rows.cell(row, "partition"), rows.cell(row, "follower") + ": " + what);
            }
        }
    }

    private void addOwn(Rows rows) {
        for (List<Object> row : rows.table().rows()) {
            add(
                    rows.cell(row, "partition"),
                    "this node: " + records(rows.number(row, "lag"), rows.number(row, "lag.ms")));
        }
    }

    private void addReassignments(Rows rows) {
        for (List<Object> row : rows.table().rows()) {
            long left = rows.number(row, "left.ms");
            add(
                    rows.cell(row, "partition"),
                    "adding " + rows.cell(row, "adding") + ": " + megabytes(rows.number(row, "left.bytes"))
                            + " left at " + megabytes(rows.number(row, "rate.bytes")) + "/s"
                            + (left < 0 ? "" : ", " + seconds(left)));
        }
    }

    private static String records(long lag, long ms) {
        return lag + " records" + (ms < 0 ? "" : ", " + seconds(ms));
    }

    private static String seconds(long ms) {
        return ms / 1_000 + "." + ms % 1_000 / 100 + " s";
    }

    private static String megabytes(long bytes) {
        long tenths = bytes / 100_000;
        return tenths / 10 + "." + tenths % 10 + " MB";
    }

    private void add(Object partition, String sentence) {
        byPartition
                .computeIfAbsent(partition.toString(), unused -> new StringJoiner("; "))
                .add(sentence);
    }

    /** Empty if this node knows nothing of the kind. */
    String of(String partition) {
        StringJoiner known = byPartition.get(partition);
        return known == null ? "" : known.toString();
    }
}
