package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.security.QuotaEntity;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import org.apache.kafka.common.message.AlterClientQuotasRequestData.EntityData;
import org.apache.kafka.common.message.DescribeClientQuotasRequestData;
import org.apache.kafka.common.message.DescribeClientQuotasRequestData.ComponentData;

/** Translates the entities of quotas and the filters for them (KIP-546). On the wire, a default entity has no name. */
final class QuotaEntities {
    private static final String USER = "user";
    private static final String CLIENT_ID = "client-id";
    private static final String IP = "ip";
    private static final Set<String> TYPES = Set.of(USER, CLIENT_ID, IP);
    private static final byte EXACT = 0;
    private static final byte OF_DEFAULT = 1;
    private static final byte ANY = 2;

    private QuotaEntities() {}

    /** @throws io.felice.api.FeliceException INVALID_REQUEST */
    static QuotaEntity entity(List<EntityData> parts) {
        Map<String, String> names = new HashMap<>();
        for (EntityData part : parts) {
            checkType(part.entityType());
            if (names.put(part.entityType(), inside(part.entityName())) != null) {
                throw ErrorCode.INVALID_REQUEST.because(
                        "The entity type " + part.entityType() + " appears more than once in an entity");
            }
        }
        if (names.isEmpty()) {
            throw ErrorCode.INVALID_REQUEST.because("Invalid empty client quota entity");
        }
        return new QuotaEntity(names.get(USER), names.get(CLIENT_ID), names.get(IP));
    }

    private static void checkType(String type) {
        if (!TYPES.contains(type)) {
            throw ErrorCode.INVALID_REQUEST.because("Unhandled client quota entity type: " + type);
        }
    }

    private static String inside(String name) {
        if (QuotaEntity.DEFAULT.equals(name)) {
            throw ErrorCode.INVALID_REQUEST.because(
                    name + " is not the name of an entity; the default entity has no name");
        }
        return name == null ? QuotaEntity.DEFAULT : name;
    }

    /** Gives the types of an entity with their names on the wire, null for the default, to {@code part}. */
    static void forEachPart(QuotaEntity entity, BiConsumer<String, String> part) {
        parts(entity).forEach((type, name) -> part.accept(type, name.equals(QuotaEntity.DEFAULT) ? null : name));
    }

    private static Map<String, String> parts(QuotaEntity entity) {
        Map<String, String> parts = new TreeMap<>();
        parts.put(USER, entity.user());
        parts.put(CLIENT_ID, entity.clientId());
        parts.put(IP, entity.ip());
        parts.values().removeIf(Objects::isNull);
        return parts;
    }

    /**
     * Whether a request asks for an entity: each of its components fits, and if it is strict the entity has no other
     * types.
     *
     * @throws io.felice.api.FeliceException INVALID_REQUEST
     */
    static Predicate<QuotaEntity> filter(DescribeClientQuotasRequestData request) {
        Map<String, Optional<String>> wanted = new HashMap<>();
        for (ComponentData component : request.components()) {
            checkType(component.entityType());
            if (wanted.put(component.entityType(), wanted(component)) != null) {
                throw ErrorCode.INVALID_REQUEST.because(
                        "Duplicate " + component.entityType() + " filter component entity type");
            }
        }
        if (wanted.containsKey(IP) && wanted.size() > 1) {
            throw ErrorCode.INVALID_REQUEST.because("Invalid entity filter component combination, IP filter component"
                    + " should not be used with user or clientId filter component.");
        }
        return entity -> fits(parts(entity), wanted, request.strict());
    }

    /** The name that an entity must have; empty if every name fits. */
    private static Optional<String> wanted(ComponentData component) {
        boolean isExact = component.matchType() == EXACT;
        if (isExact != (component.match() != null)) {
            throw ErrorCode.INVALID_REQUEST.because(
                    "A filter component has a name to match if and only if its match type is exact");
        }
        return switch (component.matchType()) {
            case EXACT -> Optional.of(inside(component.match()));
            case OF_DEFAULT -> Optional.of(QuotaEntity.DEFAULT);
            case ANY -> Optional.empty();
            default -> throw ErrorCode.INVALID_REQUEST.because("Unknown match type " + component.matchType());
        };
    }

    private static boolean fits(Map<String, String> parts, Map<String, Optional<String>> wanted, boolean strict) {
        return (!strict || wanted.keySet().containsAll(parts.keySet()))
                && parts.keySet().containsAll(wanted.keySet())
                && wanted.entrySet().stream()
                        .allMatch(one ->
                                one.getValue().isEmpty() || one.getValue().get().equals(parts.get(one.getKey())));
    }
}
