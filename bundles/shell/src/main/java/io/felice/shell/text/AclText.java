package io.felice.shell.text;

import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.Operation;
import io.felice.api.security.Principal;
import io.felice.api.security.ResourceType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** ACLs as an operator types and reads them. A resource is {@code topic:orders}, {@code topic:orders-*}, {@code topic:*} or {@code cluster}. */
public final class AclText {
    private AclText() {}

    /**
     * The ACLs that the words of a command say, one for each operation.
     *
     * @param operations separated by commas
     * @param host null for all addresses
     */
    public static List<Acl> acls(String principal, String operations, String resource, String host, boolean allows) {
        Principal.parse(principal);
        Resource parsed = Resource.parse(resource);
        List<Acl> acls = new ArrayList<>();
        for (String word : operations.split(",")) {
            acls.add(new Acl(
                    parsed.type,
                    parsed.name,
                    parsed.pattern,
                    principal,
                    host == null ? Acl.ANY : host,
                    operation(word),
                    allows));
        }
        return acls;
    }

    /** A filter for what the words say; a word that is null does not matter. */
    public static AclFilter filter(String principal, String operation, String resource) {
        Resource parsed = resource == null ? null : Resource.parse(resource);
        return new AclFilter(
                parsed == null ? null : parsed.type,
                parsed == null ? null : parsed.name,
                parsed == null
                        ? AclFilter.Match.ANY
                        : parsed.pattern == Acl.Pattern.PREFIXED ? AclFilter.Match.PREFIXED : AclFilter.Match.LITERAL,
                principal,
                null,
                operation == null ? null : operation(operation),
                null);
    }

    private static Operation operation(String word) {
        try {
            return Operation.valueOf(word.trim().toUpperCase(Locale.ROOT).replace('-', '_'));
        } catch (IllegalArgumentException unknown) {
            throw new IllegalArgumentException(
                    "There is no operation \"" + word + "\"; there are "
                            + Arrays.stream(Operation.values())
                                    .map(each -> word(each.name()))
                                    .collect(Collectors.joining(", ")),
                    unknown);
        }
    }

    public static Listing listing(Set<Acl> acls) {
        Listing listing = new Listing("principal", "rule", "operation", "resource", "host");
        acls.stream()
                .sorted(Comparator.comparing(Acl::principal)
                        .thenComparing(Acl::type)
                        .thenComparing(Acl::name)
                        .thenComparing(Acl::operation))
                .forEach(acl -> listing.row(
                        acl.principal(),
                        acl.allows() ? "allow" : "deny",
                        word(acl.operation().name()),
                        resource(acl),
                        acl.host()));
        return listing;
    }

    private static String word(String constant) {
        return constant.toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String resource(Acl acl) {
        String type = word(acl.type().name());
        if (acl.type() == ResourceType.CLUSTER) {
            return type;
        }
        return type + ":" + acl.name() + (acl.pattern() == Acl.Pattern.PREFIXED ? "*" : "");
    }

    private record Resource(ResourceType type, String name, Acl.Pattern pattern) {
        static Resource parse(String text) {
            int colon = text.indexOf(':');
            ResourceType type = type(colon < 0 ? text : text.substring(0, colon), text);
            if (type == ResourceType.CLUSTER) {
                return new Resource(type, ResourceType.CLUSTER_NAME, Acl.Pattern.LITERAL);
            }
            String name = colon < 0 ? "" : text.substring(colon + 1);
            if (name.isEmpty()) {
                throw unreadable(text);
            }
            return name.endsWith(Acl.ANY) && name.length() > 1
                    ? new Resource(type, name.substring(0, name.length() - 1), Acl.Pattern.PREFIXED)
                    : new Resource(type, name, Acl.Pattern.LITERAL);
        }

        private static ResourceType type(String word, String text) {
            return Arrays.stream(ResourceType.values())
                    .filter(type -> type.name().equalsIgnoreCase(word.replace('-', '_')))
                    .findFirst()
                    .orElseThrow(() -> unreadable(text));
        }

        private static IllegalArgumentException unreadable(String text) {
            return new IllegalArgumentException(
                    "\"" + text + "\" is no resource; write topic:NAME, topic:PREFIX*, topic:*,"
                            + " group:NAME, transactional-id:NAME, user:NAME or cluster");
        }
    }
}
