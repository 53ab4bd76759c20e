package io.felice.api.security;

import java.util.Objects;

/**
 * Finds ACLs, as Kafka's {@code AclBindingFilter}. What is null is not compared.
 *
 * @param name the resource; how it is compared is said by {@code match}
 */
public record AclFilter(
        ResourceType type,
        String name,
        Match match,
        String principal,
        String host,
        Operation operation,
        Boolean allows) {
    /** How the name is compared. */
    public enum Match {
        /** The name of the ACL is this name, whatever its pattern. */
        ANY,
        /** The ACL is about the resource with this name. */
        COVERS,
        /** The name of a literal ACL is this name. */
        LITERAL,
        /** The prefix of a prefixed ACL is this name. */
        PREFIXED
    }

    /** Every ACL. */
    public static final AclFilter ALL = new AclFilter(null, null, Match.ANY, null, null, null, null);

    public AclFilter {
        Objects.requireNonNull(match, "match");
    }

    public boolean finds(Acl acl) {
        return (type == null || type == acl.type())
                && findsName(acl)
                && (principal == null || principal.equals(acl.principal()))
                && (host == null || host.equals(acl.host()))
                && (operation == null || operation == acl.operation())
                && (allows == null || allows == acl.allows());
    }

    private boolean findsName(Acl acl) {
        boolean patternFits =
                switch (match) {
                    case ANY, COVERS -> true;
                    case LITERAL -> acl.pattern() == Acl.Pattern.LITERAL;
                    case PREFIXED -> acl.pattern() == Acl.Pattern.PREFIXED;
                };
        return patternFits
                && (name == null
                        || (match == Match.COVERS
                                ? acl.covers(name)
                                : acl.name().equals(name)));
    }
}
