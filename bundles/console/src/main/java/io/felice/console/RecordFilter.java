package io.felice.console;

import io.felice.api.RecordHeader;
import io.felice.console.http.ApiRequest;
import io.felice.console.http.Problem;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Which records a search finds: those that have a text, or match a regular expression, in the key, the value or a header. A
 * regular expression that takes too long for one record fails the search.
 */
final class RecordFilter {
    private static final int MOST_BYTES = 1 << 20;
    private static final long LONGEST_NANOS = 500_000_000L;

    private final Optional<Predicate<String>> anywhere;
    private final Optional<Predicate<String>> key;
    private final Optional<Predicate<String>> value;
    private final Optional<Predicate<String>> header;

    RecordFilter(ApiRequest request) {
        boolean isRegex = request.flag("regex");
        anywhere = test(request, "q", isRegex);
        key = test(request, "key", isRegex);
        value = test(request, "value", isRegex);
        header = test(request, "header", isRegex);
    }

    boolean isEmpty() {
        return anywhere.isEmpty() && key.isEmpty() && value.isEmpty() && header.isEmpty();
    }

    private static Optional<Predicate<String>> test(ApiRequest request, String name, boolean isRegex) {
        return request.query(name).map(wanted -> {
            if (!isRegex) {
                return text -> text.contains(wanted);
            }
            try {
                Pattern pattern = Pattern.compile(wanted);
                return text -> pattern.matcher(new Timed(text, System.nanoTime() + LONGEST_NANOS))
                        .find();
            } catch (PatternSyntaxException unfit) {
                throw Problem.invalid("The parameter " + name + " is no regular expression: " + unfit.getDescription());
            }
        });
    }

    boolean finds(ByteBuffer keyBytes, ByteBuffer valueBytes, List<RecordHeader> headers) {
        return key.map(test -> test.test(text(keyBytes))).orElse(true)
                && value.map(test -> test.test(text(valueBytes))).orElse(true)
                && header.map(test -> isIn(headers, test)).orElse(true)
                && anywhere.map(test -> test.test(text(keyBytes)) || test.test(text(valueBytes)) || isIn(headers, test))
                        .orElse(true);
    }

    private static boolean isIn(List<RecordHeader> headers, Predicate<String> test) {
        for (RecordHeader each : headers) {
            if (test.test(each.name()) || (each.value() != null && test.test(text(ByteBuffer.wrap(each.value()))))) {
                return true;
            }
        }
        return false;
    }

    private static String text(ByteBuffer bytes) {
        if (bytes == null) {
            return "";
        }
        byte[] copy = new byte[Math.min(bytes.remaining(), MOST_BYTES)];
        bytes.duplicate().get(copy);
        return new String(copy, StandardCharsets.UTF_8);
    }

    /** A text that nobody can read for longer than a while. */
    private record Timed(String text, long deadline) implements CharSequence {
        @Override
        public char charAt(int index) {
            if (System.nanoTime() - deadline > 0) {
                throw Problem.invalid("The regular expression takes too long for a record.");
            }
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int from, int to) {
            return new Timed(text.substring(from, to), deadline);
        }

        @Override
        public String toString() {
            return text;
        }
    }
}
