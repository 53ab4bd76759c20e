package io.felice.coordinator.listener;

import static java.util.stream.Collectors.toCollection;

import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.InternalTopics;
import io.felice.api.cluster.TopicView;
import io.felice.api.listener.RecordListener;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/**
 * Which records a listener wants, from the properties of its service.
 *
 * @param pattern null if only the named topics are wanted
 */
record ListenedTopics(String group, Set<String> names, Pattern pattern, boolean fromLatest) {
    /** What is wrong with the properties, as the rest of a sentence; empty if they can be used. */
    static Optional<String> mistake(Map<String, Object> properties) {
        try {
            of("name", properties);
            return Optional.empty();
        } catch (IllegalArgumentException mistake) {
            return Optional.of(mistake.getMessage());
        }
    }

    /** @throws IllegalArgumentException with the rest of a sentence if the properties cannot be used */
    static ListenedTopics of(String name, Map<String, Object> properties) {
        Set<String> names = names(properties.get(RecordListener.TOPICS));
        Pattern pattern = pattern(text(properties, RecordListener.PATTERN, ""));
        if (names.isEmpty() && pattern == null) {
            throw new IllegalArgumentException(
                    "its service has neither the property " + RecordListener.TOPICS + " nor " + RecordListener.PATTERN);
        }
        String from = text(properties, RecordListener.FROM, "earliest");
        if (!from.equals("earliest") && !from.equals("latest")) {
            throw new IllegalArgumentException(
                    "its property " + RecordListener.FROM + " is '" + from + "', not earliest or latest");
        }
        return new ListenedTopics(text(properties, RecordListener.GROUP, name), names, pattern, from.equals("latest"));
    }

    private static String text(Map<String, Object> properties, String key, String otherwise) {
        String text = properties.get(key) instanceof String value ? value.trim() : "";
        return text.isEmpty() ? otherwise : text;
    }

    private static Set<String> names(Object property) {
        Stream<String> all = property instanceof String[] array
                ? Stream.of(array)
                : property instanceof String text ? Stream.of(text.split(",")) : Stream.empty();
        return all.map(String::trim).filter(name -> !name.isEmpty()).collect(toCollection(TreeSet::new));
    }

    private static Pattern pattern(String text) {
        try {
            return text.isEmpty() ? null : Pattern.compile(text);
        } catch (PatternSyntaxException malformed) {
            throw new IllegalArgumentException(
                    "its property " + RecordListener.PATTERN + " is no regular expression: "
                            + malformed.getDescription(),
                    malformed);
        }
    }

    /** The topics that there are now, with the number of their partitions. */
    Map<String, Integer> in(ClusterView view) {
        Map<String, Integer> topics = new TreeMap<>();
        for (TopicView topic : view.topics()) {
            if (wants(topic.name())) {
                topics.put(topic.name(), topic.partitions().size());
            }
        }
        return topics;
    }

    private boolean wants(String topic) {
        return names.contains(topic)
                || (pattern != null
                        && !InternalTopics.isInternal(topic)
                        && pattern.matcher(topic).matches());
    }
}
