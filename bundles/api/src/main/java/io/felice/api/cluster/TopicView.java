package io.felice.api.cluster;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/**
 * A topic and its partitions at one version of the metadata log. Immutable.
 *
 * @param engine the storage engine that the controller has chosen when it created the topic; the topic's config {@code
 *     storage.engine} wins. Null if the topic is older than this choice or was restored
 * @param partitions by partition number, ascending from 0 without a gap
 */
public record TopicView(UUID topicId, String name, String engine, Map<Integer, PartitionState> partitions) {
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
