package io.felice.cluster.zookeeper;

import io.felice.api.cluster.MetadataRecord;
import java.util.ArrayList;
import java.util.List;

/** Joins the parts of a large change. Gets all batches in the order of the log. One thread. */
final class ChangeParts {
    private final List<String> lines = new ArrayList<>();
    private MetadataBatch last;

    /**
     * Adds the next batch of the log.
     *
     * @return the records to apply now; empty until the last part of a large change
     * @throws io.felice.api.FeliceException UNSUPPORTED_VERSION if this version does not know a required record
     */
    List<MetadataRecord> add(MetadataBatch batch) {
        if (last != null && !batch.continues(last)) {
            clear();
        }
        if (batch.parts() == 1) {
            return batch.records();
        }
        lines.addAll(batch.lines());
        if (!batch.isLastPart()) {
            last = batch;
            return List.of();
        }
        List<MetadataRecord> records = MetadataBatch.records(lines);
        clear();
        return records;
    }

    void clear() {
        last = null;
        lines.clear();
    }
}
