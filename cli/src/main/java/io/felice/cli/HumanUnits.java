package io.felice.cli;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Times and sizes as people write them, for example {@code 7d} and {@code 1GiB}, and the configs that have them. */
final class HumanUnits {
    private static final Pattern AMOUNT = Pattern.compile("(-?\\d+(?:\\.\\d+)?)\\s*([A-Za-z]*)");
    private static final Map<String, Long> MILLIS = new LinkedHashMap<>();
    private static final Map<String, Long> BYTES = new LinkedHashMap<>();

    static {
        MILLIS.put("d", 86_400_000L);
        MILLIS.put("h", 3_600_000L);
        MILLIS.put("m", 60_000L);
        MILLIS.put("s", 1_000L);
        MILLIS.put("ms", 1L);
        BYTES.put("TiB", 1L << 40);
        BYTES.put("GiB", 1L << 30);
        BYTES.put("MiB", 1L << 20);
        BYTES.put("KiB", 1L << 10);
        BYTES.put("B", 1L);
    }

    private HumanUnits() {}

    /** @param text a number with one of the units d, h, m, s, ms */
    static Duration duration(String text) {
        return Duration.ofMillis(amount(text, MILLIS, "a time such as 500ms, 30s, 2m, 12h or 7d"));
    }

    static long bytes(String text) {
        return amount(text, BYTES, "a size such as 512KiB, 10MiB or 1GiB");
    }

    private static long amount(String text, Map<String, Long> units, String what) {
        Matcher parts = AMOUNT.matcher(text.trim());
        if (parts.matches()) {
            for (Map.Entry<String, Long> unit : units.entrySet()) {
                if (isUnit(parts.group(2), unit.getKey())) {
                    double amount = Double.parseDouble(parts.group(1)) * unit.getValue();
                    if (Math.abs(amount) < Long.MAX_VALUE) {
                        return Math.round(amount);
                    }
                }
            }
        }
        throw CliFailure.usage("\"" + text + "\" is not " + what + ".", null);
    }

    /** {@code G}, {@code GB} and {@code GiB} are all 2^30 bytes, as in Kafka's own documents. */
    private static boolean isUnit(String written, String unit) {
        return written.equalsIgnoreCase(unit)
                || (unit.endsWith("iB")
                        && (written.equalsIgnoreCase(unit.substring(0, 1))
                                || written.equalsIgnoreCase(unit.charAt(0) + "B")));
    }

    /** The name of a config: {@code retention} stands for {@code retention.ms}. */
    static String key(String written) {
        return written.equals("retention") ? "retention.ms" : written;
    }

    /** The value of a config as Kafka wants it: a time with a unit becomes milliseconds, a size bytes. */
    static String value(String key, String written) {
        if (written.matches("-?\\d+") || written.isEmpty()) {
            return written;
        } else if (key.endsWith(".ms") && AMOUNT.matcher(written).matches()) {
            return Long.toString(duration(written).toMillis());
        } else if (key.endsWith("bytes") && AMOUNT.matcher(written).matches()) {
            return Long.toString(bytes(written));
        }
        return written;
    }

    /** The value of a config for people, with its unit; the value itself if it has none. */
    static String shown(String key, String value) {
        if (value == null || !value.matches("\\d{4,19}") || value.equals(Long.toString(Long.MAX_VALUE))) {
            return value;
        }
        if (key.endsWith(".ms")) {
            return withUnit(value, MILLIS);
        }
        return key.endsWith("bytes") ? withUnit(value, BYTES) : value;
    }

    private static String withUnit(String value, Map<String, Long> units) {
        long number = Long.parseLong(value);
        for (Map.Entry<String, Long> unit : units.entrySet()) {
            if (unit.getValue() > 1 && number >= unit.getValue() && number % unit.getValue() == 0) {
                return value + " (" + number / unit.getValue() + " " + unit.getKey() + ")";
            }
        }
        return value;
    }

    /** A size for people. */
    static String size(double bytes) {
        for (Map.Entry<String, Long> unit : BYTES.entrySet()) {
            if (bytes >= unit.getValue() && unit.getValue() > 1) {
                return String.format(Locale.ROOT, "%.1f %s", bytes / unit.getValue(), unit.getKey());
            }
        }
        return Math.round(bytes) + " B";
    }
}
