package io.felice.handlers;

import io.felice.api.ErrorCode;
import java.util.regex.Pattern;

/** Which topic names there can be: Kafka's rules. */
final class TopicNames {
    private static final int MAX_LENGTH = 249;
    private static final Pattern LEGAL = Pattern.compile("[a-zA-Z0-9._-]+");

    private TopicNames() {}

    static boolean isValid(String name) {
        return name.length() <= MAX_LENGTH
                && !name.equals(".")
                && !name.equals("..")
                && LEGAL.matcher(name).matches();
    }

    /** @throws io.felice.api.FeliceException INVALID_TOPIC_EXCEPTION with what is wrong */
    static void check(String name) {
        if (!isValid(name)) {
            throw ErrorCode.INVALID_TOPIC_EXCEPTION.because("Topic name is invalid: '" + name
                    + "' must be 1 to 249 ASCII letters, digits, '.', '_' or '-', and neither '.' nor '..'.");
        }
    }
}
