package io.felice.api.partition;

import io.felice.api.TopicPartition;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The partitions that one reader fetches again and again (a fetch session, KIP-227). It remembers what the reader wants, and
 * notes which partitions may have something new for it, so that a fetch costs what has changed and not what is read. Any
 * thread may call the methods; they do not block.
 */
@ProviderType
public interface RepeatedFetch extends AutoCloseable {
    /**
     * Fetches once more, as {@link Partitions#fetch}. A fetch that is still under way ends without results.
     *
     * @param plan its wants are the partitions that are new, or of which the reader wants something else than before
     * @param forgotten the partitions that the reader does not want any more
     * @return a result for each partition that has records, an error, a diverging epoch or a preferred replica, or whose high
     *     watermark or log start may have moved since the fetch before, and for those of the plan; for no other. In the
     *     order in which they were read: those that had records the last time come last
     */
    CompletionStage<List<FetchedPartition>> fetch(FetchPlan plan, Collection<TopicPartition> forgotten);

    /** Forgets all partitions, and ends a fetch that is under way without results. */
    @Override
    void close();
}
