package io.felice.security;

import io.felice.api.security.QuotaEntity;
import io.felice.api.security.Quotas.Kind;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/** The quotas of the cluster, arranged for lookups. Immutable; any thread. */
final class QuotaLimits {
    static final QuotaLimits NONE = new QuotaLimits(Map.of());

    private final Map<Kind, Map<QuotaEntity, Double>> byKind = new EnumMap<>(Kind.class);

    /**
     * A quota that applies.
     *
     * @param sharedBy whose use counts together
     * @param perSecond what they may use in a second, in the unit of the kind
     */
    record Limit(QuotaEntity sharedBy, double perSecond) {}

    QuotaLimits(Map<QuotaEntity, Map<String, Double>> quotas) {
        for (Kind kind : Kind.values()) {
            Map<QuotaEntity, Double> ofKind = new HashMap<>();
            quotas.forEach((entity, values) -> {
                Double value = values.get(kind.key());
                if (value != null) {
                    ofKind.put(canonical(entity), kind == Kind.REQUEST ? nanosPerSecond(value) : value);
                }
            });
            if (!ofKind.isEmpty()) {
                byKind.put(kind, ofKind);
            }
        }
    }

    private static QuotaEntity canonical(QuotaEntity entity) {
        return entity.ip() == null ? entity : new QuotaEntity(null, null, Addresses.canonical(entity.ip()));
    }

    /** A hundred percent is one thread. */
    private static double nanosPerSecond(double percent) {
        return percent * 1e7;
    }

    boolean isAny(Kind kind) {
        return byKind.containsKey(kind);
    }

    /** The quota of a client; null if it has none. The order is that of Kafka's {@code ClientQuotaManager}. */
    Limit of(Kind kind, String user, String clientId) {
        Map<QuotaEntity, Double> ofKind = byKind.get(kind);
        if (ofKind == null) {
            return null;
        }
        for (String userPart : new String[] {user, QuotaEntity.DEFAULT, null}) {
            for (String clientPart : new String[] {clientId, QuotaEntity.DEFAULT, null}) {
                if (userPart == null && clientPart == null) {
                    continue;
                }
                Double value = ofKind.get(new QuotaEntity(userPart, clientPart, null));
                if (value != null) {
                    return new Limit(
                            new QuotaEntity(userPart == null ? null : user, clientPart == null ? null : clientId, null),
                            value);
                }
            }
        }
        return null;
    }

    /** The quota of an address; null if it has none. */
    Limit ofAddress(Kind kind, String address) {
        Map<QuotaEntity, Double> ofKind = byKind.get(kind);
        if (ofKind == null) {
            return null;
        }
        QuotaEntity own = new QuotaEntity(null, null, address);
        Double value = ofKind.getOrDefault(own, ofKind.get(new QuotaEntity(null, null, QuotaEntity.DEFAULT)));
        return value == null ? null : new Limit(own, value);
    }
}
