package io.felice.api.cluster;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/**
 * A topic and its partitions at one version of the metadata log. Immutable.
 *
 * @param partitions by partition number, ascending from 0 without a gap
 */
public record TopicView(UUID topicId, String name, Map<Integer, PartitionState> partitions) {
    public TopicView {
        partitions = Collections.unmodifiableMap(new TreeMap<>(partitions));
    }

    public Optional<PartitionState> partition(int partition) {
        return Optional.ofNullable(partitions.get(partition));
    }

    /** True for the topics of {@link InternalTopics}. */
    public boolean isInternal() {
        return InternalTopics.isInternal(name);
    }
}
