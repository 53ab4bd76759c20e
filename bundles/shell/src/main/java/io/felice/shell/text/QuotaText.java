package io.felice.shell.text;

import io.felice.api.security.QuotaEntity;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Quotas as an operator types and reads them. The name {@code <default>} stands for everybody without a quota of his own. */
public final class QuotaText {
    private QuotaText() {}

    /** @throws IllegalArgumentException if all are null */
    public static QuotaEntity entity(String user, String clientId, String ip) {
        if (user == null && clientId == null && ip == null) {
            throw new IllegalArgumentException(
                    "Whose quota? Give --user, --client-id, both, or --ip; '<default>' stands for everybody without one");
        }
        return new QuotaEntity(user, clientId, ip);
    }

    /** {@code KEY=VALUE} words. */
    public static Map<String, Optional<Double>> values(List<String> words) {
        Map<String, Optional<Double>> values = new HashMap<>();
        for (String word : words) {
            int equals = word.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException(
                        "\"" + word + "\" is not KEY=VALUE, for example producer_byte_rate=1000000");
            }
            try {
                values.put(word.substring(0, equals), Optional.of(Double.valueOf(word.substring(equals + 1))));
            } catch (NumberFormatException noNumber) {
                throw new IllegalArgumentException("\"" + word + "\" has no number behind the =", noNumber);
            }
        }
        return values;
    }

    /** The entity as it is typed, for example {@code --user alice}. */
    public static String words(QuotaEntity entity) {
        return (option("--user", entity.user())
                        + option("--client-id", entity.clientId())
                        + option("--ip", entity.ip()))
                .trim();
    }

    private static String option(String name, String value) {
        return value == null ? "" : name + " " + value + " ";
    }

    public static Listing listing(Map<QuotaEntity, Map<String, Double>> quotas) {
        Listing listing = new Listing("user", "client.id", "ip", "quota", "value");
        quotas.entrySet().stream()
                .sorted(Comparator.comparing(entry -> entry.getKey().toString()))
                .forEach(entry -> entry.getValue()
                        .forEach((key, value) -> listing.row(
                                text(entry.getKey().user()),
                                text(entry.getKey().clientId()),
                                text(entry.getKey().ip()),
                                key,
                                value)));
        return listing;
    }

    private static String text(String part) {
        return part == null ? "" : part;
    }
}
