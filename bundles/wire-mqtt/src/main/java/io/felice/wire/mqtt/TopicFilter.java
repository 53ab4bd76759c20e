package io.felice.wire.mqtt;

import java.util.List;

/**
 * A topic filter of MQTT: levels separated by slashes, where {@code +} stands for one level and {@code #} at the end for
 * any number (MQTT 5, section 4.7). Immutable.
 */
record TopicFilter(String text, List<String> levels) {
    private static final String ONE = "+";
    private static final String REST = "#";

    TopicFilter {
        levels = List.copyOf(levels);
    }

    /** @throws IllegalArgumentException with a sentence */
    static TopicFilter parse(String text) {
        TopicFilter filter = new TopicFilter(text, levelsOf(text));
        int last = filter.levels.size() - 1;
        for (int i = 0; i <= last; i++) {
            String level = filter.levels.get(i);
            boolean isWild = level.equals(ONE) || level.equals(REST) && i == last;
            if (!isWild && (level.contains(ONE) || level.contains(REST))) {
                throw new IllegalArgumentException(
                        "\"" + text + "\" is no topic filter: + stands for a whole level, and # for the last one");
            }
        }
        if (text.isEmpty() || text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("\"" + text + "\" is no topic filter: it is empty or has a NUL");
        }
        return filter;
    }

    /** True if the text is the name of a topic: not empty, without wildcards and NUL. */
    static boolean isTopic(String text) {
        return !text.isEmpty() && text.indexOf('+') < 0 && text.indexOf('#') < 0 && text.indexOf('\0') < 0;
    }

    private static List<String> levelsOf(String text) {
        return List.of(text.split("/", -1));
    }

    /** A wildcard at the beginning does not stand for topics that begin with a dollar sign. */
    boolean matches(String topic) {
        return matches(levelsOf(topic));
    }

    private boolean matches(List<String> topic) {
        if (startsWild() && topic.get(0).startsWith("$")) {
            return false;
        }
        for (int i = 0; i < levels.size(); i++) {
            String level = levels.get(i);
            if (level.equals(REST)) {
                return true;
            }
            if (i >= topic.size() || !level.equals(ONE) && !level.equals(topic.get(i))) {
                return false;
            }
        }
        return levels.size() == topic.size();
    }

    /** True if a topic can match both filters. */
    boolean overlaps(TopicFilter other) {
        if (startsWild() && other.levels.get(0).startsWith("$")
                || other.startsWild() && levels.get(0).startsWith("$")) {
            return false;
        }
        int common = Math.min(levels.size(), other.levels.size());
        for (int i = 0; i < common; i++) {
            String one = levels.get(i);
            String two = other.levels.get(i);
            if (one.equals(REST) || two.equals(REST)) {
                return true;
            }
            if (!one.equals(two) && !one.equals(ONE) && !two.equals(ONE)) {
                return false;
            }
        }
        return levels.size() == other.levels.size() || endsHere(other, common) || other.endsHere(this, common);
    }

    /** True if this filter has no more levels, and the other one only # more, which stands for none too. */
    private boolean endsHere(TopicFilter other, int common) {
        return levels.size() == common
                && other.levels.size() == common + 1
                && other.levels.get(common).equals(REST);
    }

    private boolean startsWild() {
        return levels.get(0).equals(ONE) || levels.get(0).equals(REST);
    }

    /** The levels before the first wildcard; empty if the filter begins with one. */
    String fixedPart() {
        return String.join(
                "/",
                levels.stream()
                        .takeWhile(level -> !level.equals(ONE) && !level.equals(REST))
                        .toList());
    }
}
