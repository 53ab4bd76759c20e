package io.felice.api.config;

import static io.felice.api.storage.EngineTrait.REPLACES_RANGES;
import static io.felice.api.storage.EngineTrait.SURVIVES_KILL;
import static io.felice.api.storage.EngineTrait.SURVIVES_POWER_LOSS;

import io.felice.api.storage.EngineTrait;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Compares what a topic's config asks for with what a storage engine can give. Stateless; any thread.
 */
public final class StoragePromise {
    private StoragePromise() {}

    /**
     * Why the engine cannot give what the topic asks for. {@code storage.durability=power} and {@code flush.messages=1} need
     * an engine that survives a power cut. {@code storage.durability=kill} needs one that survives a kill only if the topic
     * has it set: the default of a topic in another engine is {@code none}. Compaction needs an engine that replaces
     * segments.
     *
     * @param own the values that the topic has set
     * @param config these values with the defaults for all other keys
     * @param traits of the engine
     * @return a sentence; empty if the engine can give it
     */
    public static Optional<String> refusal(
            String topic, Map<String, String> own, TopicConfig config, String engine, Set<EngineTrait> traits) {
        boolean flushesEach = config.getLong(TopicConfig.FLUSH_MESSAGES) == 1;
        String durability = config.get(TopicConfig.STORAGE_DURABILITY);
        if ((flushesEach || durability.equals("power")) && !traits.contains(SURVIVES_POWER_LOSS)) {
            String asked = flushesEach ? TopicConfig.FLUSH_MESSAGES + "=1" : TopicConfig.STORAGE_DURABILITY + "=power";
            return Optional.of("Topic " + topic + " cannot have " + asked + ": the records of its engine " + engine
                    + " do not survive a power cut.");
        }
        boolean asksForKill = durability.equals("kill") && own.containsKey(TopicConfig.STORAGE_DURABILITY);
        if (asksForKill && !traits.contains(SURVIVES_KILL)) {
            return Optional.of("Topic " + topic + " cannot have " + TopicConfig.STORAGE_DURABILITY
                    + "=kill: the records of its engine " + engine + " do not survive kill -9 of the broker.");
        }
        boolean asksForCompaction = config.getList(TopicConfig.CLEANUP_POLICY).contains("compact");
        return asksForCompaction && !traits.contains(REPLACES_RANGES)
                ? Optional.of("Topic " + topic + " cannot have " + TopicConfig.CLEANUP_POLICY + "=compact: its engine "
                        + engine + " cannot replace segments.")
                : Optional.empty();
    }
}
