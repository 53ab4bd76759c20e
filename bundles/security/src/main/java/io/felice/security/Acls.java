package io.felice.security;

import io.felice.api.security.Acl;
import io.felice.api.security.Decision;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.Requester;
import io.felice.api.security.ResourceType;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The ACLs of the cluster, arranged for decisions. A denial wins over every right. Immutable; any thread.
 *
 * <p>A decision looks up the ACLs with the resource's name, those with {@code *}, and those with a prefix of the name, each
 * by principal. Its time does not depend on the number of ACLs of other principals.
 */
final class Acls {
    static final Acls NONE = new Acls(Set.of());

    private static final Principal EVERYBODY = Principal.user("*");
    private static final int ALLOWS = 1;
    private static final int DENIES = 2;
    private static final OfName NOTHING = new OfName(List.of());

    private final Map<ResourceType, OfType> byType = new EnumMap<>(ResourceType.class);

    Acls(Collection<Acl> all) {
        all.stream()
                .collect(Collectors.groupingBy(Acl::type))
                .forEach((type, ofType) -> byType.put(type, new OfType(ofType)));
    }

    /** The operations that allow this one too. */
    private static int allowing(Operation operation) {
        int mask = bit(operation) | bit(Operation.ALL);
        return switch (operation) {
            case DESCRIBE -> mask
                    | bit(Operation.READ)
                    | bit(Operation.WRITE)
                    | bit(Operation.DELETE)
                    | bit(Operation.ALTER);
            case DESCRIBE_CONFIGS -> mask | bit(Operation.ALTER_CONFIGS);
            default -> mask;
        };
    }

    private static int denying(Operation operation) {
        return bit(operation) | bit(Operation.ALL);
    }

    private static int bit(Operation operation) {
        return 1 << operation.ordinal();
    }

    /** ALLOW, DENY, or NO_OPINION if no ACL of the principal is about the operation on the resource. */
    Decision decide(Requester requester, Operation operation, ResourceType type, String name) {
        OfType ofType = byType.get(type);
        if (ofType == null) {
            return Decision.NO_OPINION;
        }
        int allowing = allowing(operation);
        int denying = denying(operation);
        int said = ofType.any.say(requester, allowing, denying)
                | ofType.literal.getOrDefault(name, NOTHING).say(requester, allowing, denying);
        for (Prefix prefix = ofType.prefixes.longestOf(name); prefix != null; prefix = prefix.shorter()) {
            said |= prefix.acls().say(requester, allowing, denying);
        }
        if ((said & DENIES) != 0) {
            return Decision.DENY;
        }
        return said == ALLOWS ? Decision.ALLOW : Decision.NO_OPINION;
    }

    /** True if an ACL of anybody is about the resource. */
    boolean areAbout(ResourceType type, String name) {
        OfType ofType = byType.get(type);
        return ofType != null
                && (ofType.any != NOTHING
                        || ofType.literal.containsKey(name)
                        || ofType.prefixes.longestOf(name) != null);
    }

    /** True if there is a name for which {@link #decide} would say ALLOW. */
    boolean allowSome(Requester requester, Operation operation, ResourceType type) {
        OfType ofType = byType.get(type);
        if (ofType == null) {
            return false;
        }
        int allowing = allowing(operation);
        int denying = denying(operation);
        int ofAny = ofType.any.say(requester, allowing, denying);
        if (ofAny != 0) {
            return ofAny == ALLOWS;
        }
        return ofType.literal.keySet().stream()
                        .anyMatch(name -> decide(requester, operation, type, name) == Decision.ALLOW)
                || ofType.prefixes.all().stream()
                        .anyMatch(prefix -> allowsSomeName(prefix, requester, allowing, denying));
    }

    /** False if the prefix allows nothing, or if it or a shorter one denies every name with the prefix. */
    private static boolean allowsSomeName(Prefix prefix, Requester requester, int allowing, int denying) {
        int said = 0;
        for (Prefix each = prefix; each != null; each = each.shorter()) {
            said |= each.acls().say(requester, allowing, denying);
        }
        return said == ALLOWS;
    }

    /** The ACLs of one type of resources. */
    private static final class OfType {
        private final Map<String, OfName> literal;
        private final OfName any;
        private final Prefixes prefixes;

        OfType(List<Acl> acls) {
            Map<String, OfName> byName = byName(acls, Acl.Pattern.LITERAL);
            this.any = byName.getOrDefault(Acl.ANY, NOTHING);
            byName.remove(Acl.ANY);
            this.literal = byName;
            this.prefixes = new Prefixes(byName(acls, Acl.Pattern.PREFIXED));
        }

        private static Map<String, OfName> byName(List<Acl> acls, Acl.Pattern pattern) {
            return acls.stream()
                    .filter(acl -> acl.pattern() == pattern)
                    .collect(Collectors.groupingBy(
                            Acl::name, Collectors.collectingAndThen(Collectors.toList(), OfName::new)));
        }
    }

    /** The ACLs with one name. */
    private static final class OfName {
        private final Map<Principal, Rights> byPrincipal;
        private final Rights ofAll;

        OfName(List<Acl> acls) {
            Map<Principal, Rights> rights = acls.stream()
                    .collect(Collectors.groupingBy(
                            acl -> Principal.parse(acl.principal()),
                            Collectors.collectingAndThen(Collectors.toList(), Rights::of)));
            this.ofAll = rights.getOrDefault(EVERYBODY, Rights.NONE);
            this.byPrincipal = rights;
        }

        /** What the ACLs of everybody and of the principal say: {@link #ALLOWS}, {@link #DENIES}, both or nothing. */
        int say(Requester requester, int allowing, int denying) {
            Rights own = byPrincipal.get(requester.principal());
            return ofAll.say(requester, allowing, denying) | (own == null ? 0 : own.say(requester, allowing, denying));
        }
    }

    /**
     * What a principal may and must not do, as sets of bits.
     *
     * @param ofHosts the ACLs for single addresses
     */
    private record Rights(int allowed, int denied, Map<String, Rights> ofHosts) {
        private static final Rights NONE = new Rights(0, 0, Map.of());

        static Rights of(List<Acl> acls) {
            Map<String, Rights> byHost = acls.stream()
                    .collect(Collectors.groupingBy(
                            acl -> Addresses.canonical(acl.host()),
                            Collectors.collectingAndThen(Collectors.toList(), Rights::ofHost)));
            Rights everywhere = byHost.getOrDefault(Acl.ANY, NONE);
            byHost.remove(Acl.ANY);
            return new Rights(everywhere.allowed, everywhere.denied, Map.copyOf(byHost));
        }

        private static Rights ofHost(List<Acl> acls) {
            int allowed = 0;
            int denied = 0;
            for (Acl acl : acls) {
                if (acl.allows()) {
                    allowed |= bit(acl.operation());
                } else {
                    denied |= bit(acl.operation());
                }
            }
            return new Rights(allowed, denied, Map.of());
        }

        int say(Requester requester, int allowing, int denying) {
            int said = saySame(allowing, denying);
            if (ofHosts.isEmpty()) {
                return said;
            }
            return said
                    | ofHosts.getOrDefault(Addresses.textOf(requester.host()), NONE)
                            .saySame(allowing, denying);
        }

        private int saySame(int allowing, int denying) {
            return ((allowed & allowing) != 0 ? ALLOWS : 0) | ((denied & denying) != 0 ? DENIES : 0);
        }
    }

    /**
     * The ACLs with one prefix.
     *
     * @param shorter the longest other prefix that this one begins with; null if there is none
     */
    private record Prefix(String text, OfName acls, Prefix shorter) {}

    /** All prefixes in order. */
    private static final class Prefixes {
        private final Prefix[] sorted;

        Prefixes(Map<String, OfName> byPrefix) {
            List<String> texts = byPrefix.keySet().stream().sorted().toList();
            sorted = new Prefix[texts.size()];
            Prefix last = null;
            for (int i = 0; i < sorted.length; i++) {
                String text = texts.get(i);
                last = new Prefix(text, byPrefix.get(text), longestOf(text, last));
                sorted[i] = last;
            }
        }

        List<Prefix> all() {
            return List.of(sorted);
        }

        /**
         * The longest prefix of a name; null if there is none. Of the prefixes up to the name in order, the last one begins
         * with every prefix of the name.
         */
        Prefix longestOf(String name) {
            int from = 0;
            int to = sorted.length;
            while (from < to) {
                int middle = (from + to) >>> 1;
                if (sorted[middle].text.compareTo(name) <= 0) {
                    from = middle + 1;
                } else {
                    to = middle;
                }
            }
            return from == 0 ? null : longestOf(name, sorted[from - 1]);
        }

        private static Prefix longestOf(String name, Prefix last) {
            Prefix candidate = last;
            while (candidate != null && !name.startsWith(candidate.text)) {
                candidate = candidate.shorter;
            }
            return candidate;
        }
    }
}
