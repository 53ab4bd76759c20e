package io.felice.controller;

import io.felice.api.ErrorCode;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.TopicView;

/** Which names a topic may have: Kafka's rules, in Kafka's words. */
final class TopicNames {
    static final int MAX_LENGTH = 249;

    private TopicNames() {}

    /** @throws io.felice.api.FeliceException INVALID_TOPIC_EXCEPTION */
    static void check(String name) {
        String wrong = whatIsWrong(name);
        if (wrong != null) {
            throw ErrorCode.INVALID_TOPIC_EXCEPTION.because("Topic name is invalid: " + wrong);
        }
    }

    /**
     * Metrics write a dot as an underscore, so two topics may not differ in that alone.
     *
     * @throws io.felice.api.FeliceException INVALID_TOPIC_EXCEPTION
     */
    static void checkCollision(String name, ClusterView view, Iterable<String> othersInTheRequest) {
        if (name.indexOf('.') < 0 && name.indexOf('_') < 0) {
            return;
        }
        String unified = unify(name);
        for (TopicView topic : view.topics()) {
            refuseIfSame(name, unified, topic.name());
        }
        for (String other : othersInTheRequest) {
            refuseIfSame(name, unified, other);
        }
    }

    private static void refuseIfSame(String name, String unified, String other) {
        if (other.length() == name.length() && !other.equals(name) && unified.equals(unify(other))) {
            throw ErrorCode.INVALID_TOPIC_EXCEPTION.because(
                    "Topic '" + name + "' collides with existing topic: " + other);
        }
    }

    private static String unify(String name) {
        return name.replace('.', '_');
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
