package io.felice.api;

import java.util.stream.IntStream;

/** Kafka's rules for topic names, with Kafka's error messages (class {@code Topic} of kafka-clients). */
public final class TopicNames {
    /** The length of the longest name, in characters. All legal characters are ASCII. */
    public static final int MAX_LENGTH = 249;

    private TopicNames() {}

    public static boolean isValid(String name) {
        return whatIsWrong(name) == null;
    }

    /** @throws FeliceException INVALID_TOPIC_EXCEPTION if a topic cannot have this name */
    public static void check(String name) {
        String wrong = whatIsWrong(name);
        if (wrong != null) {
            throw ErrorCode.INVALID_TOPIC_EXCEPTION.because("Topic name is invalid: " + wrong);
        }
    }

    /**
     * True if two different names are equal after each dot is replaced by an underscore. Metrics use such names, so a
     * cluster cannot have both topics.
     */
    public static boolean collide(String one, String other) {
        return one.length() == other.length()
                && !one.equals(other)
                && IntStream.range(0, one.length()).allMatch(i -> inMetric(one.charAt(i)) == inMetric(other.charAt(i)));
    }

    /** False if no other name collides with this one: it has neither dots nor underscores. */
    public static boolean mayCollide(String name) {
        return name.indexOf('.') >= 0 || name.indexOf('_') >= 0;
    }

    private static char inMetric(char c) {
        return c == '.' ? '_' : c;
    }

    private static String whatIsWrong(String name) {
        if (name.isEmpty()) {
            return "the empty string is not allowed";
        }
        if (name.equals(".") || name.equals("..")) {
            return "'" + name + "' is not allowed";
        }
        if (name.length() > MAX_LENGTH) {
            return "the length of '" + name + "' is longer than the max allowed length " + MAX_LENGTH;
        }
        if (!name.chars().allMatch(TopicNames::isLegal)) {
            return "'" + name + "' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'";
        }
        return null;
    }

    private static boolean isLegal(int c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-';
    }
}
