package io.felice.handlers;

import io.felice.api.ErrorCode;
import io.felice.api.security.Acl;
import io.felice.api.security.AclFilter;
import io.felice.api.security.AclFilter.Match;
import io.felice.api.security.Operation;
import io.felice.api.security.ResourceType;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.common.message.CreateAclsRequestData.AclCreation;
import org.apache.kafka.common.message.DeleteAclsRequestData.DeleteAclsFilter;
import org.apache.kafka.common.message.DescribeAclsRequestData;

/** Translates ACLs and filters of ACLs, with Kafka's numbers. */
final class AclBindings {
    private static final byte ANY = 1;
    private static final byte MATCH = 2;
    private static final byte DENY = 2;
    private static final byte ALLOW = 3;

    private AclBindings() {}

    /** @throws io.felice.api.FeliceException INVALID_REQUEST */
    static Acl acl(AclCreation wanted) {
        if (wanted.resourceName().isEmpty()) {
            throw ErrorCode.INVALID_REQUEST.because("Invalid empty resource name");
        }
        return new Acl(
                type(wanted.resourceType()),
                wanted.resourceName(),
                find(
                        Acl.Pattern.values(),
                        pattern -> pattern.code() == wanted.resourcePatternType(),
                        "pattern type",
                        wanted.resourcePatternType()),
                wanted.principal(),
                wanted.host(),
                operation(wanted.operation()),
                allows(wanted.permissionType()));
    }

    /** @throws io.felice.api.FeliceException INVALID_REQUEST */
    static AclFilter filter(DescribeAclsRequestData asked) {
        return filter(
                asked.resourceTypeFilter(),
                asked.resourceNameFilter(),
                asked.patternTypeFilter(),
                asked.principalFilter(),
                asked.hostFilter(),
                asked.operation(),
                asked.permissionType());
    }

    /** @throws io.felice.api.FeliceException INVALID_REQUEST */
    static AclFilter filter(DeleteAclsFilter asked) {
        return filter(
                asked.resourceTypeFilter(),
                asked.resourceNameFilter(),
                asked.patternTypeFilter(),
                asked.principalFilter(),
                asked.hostFilter(),
                asked.operation(),
                asked.permissionType());
    }

    private static AclFilter filter(
            byte type, String name, byte pattern, String principal, String host, byte operation, byte permission) {
        return new AclFilter(
                type == ANY ? null : type(type),
                name,
                match(pattern),
                principal,
                host,
                operation == ANY ? null : operation(operation),
                permission == ANY ? null : allows(permission));
    }

    private static Match match(byte pattern) {
        if (pattern == Acl.Pattern.LITERAL.code()) {
            return Match.LITERAL;
        }
        if (pattern == Acl.Pattern.PREFIXED.code()) {
            return Match.PREFIXED;
        }
        return switch (pattern) {
            case ANY -> Match.ANY;
            case MATCH -> Match.COVERS;
            default -> throw unknown("pattern type", pattern);
        };
    }

    private static ResourceType type(byte code) {
        return find(ResourceType.values(), type -> type.code() == code, "resource type", code);
    }

    private static Operation operation(byte code) {
        return find(Operation.values(), operation -> operation.code() == code, "operation", code);
    }

    private static boolean allows(byte permission) {
        return switch (permission) {
            case ALLOW -> true;
            case DENY -> false;
            default -> throw unknown("permission type", permission);
        };
    }

    static byte permission(Acl acl) {
        return acl.allows() ? ALLOW : DENY;
    }

    private static <T> T find(T[] all, Predicate<T> wanted, String what, byte code) {
        return Arrays.stream(all).filter(wanted).findFirst().orElseThrow(() -> unknown(what, code));
    }

    private static RuntimeException unknown(String what, byte code) {
        return ErrorCode.INVALID_REQUEST.because("An ACL cannot have the " + what + " " + code);
    }

    /** In the order of their resources, so that the ACLs of a resource are neighbours. */
    static List<Acl> sorted(Set<Acl> acls) {
        return acls.stream()
                .sorted(Comparator.comparing(Acl::type)
                        .thenComparing(Acl::name)
                        .thenComparing(Acl::pattern)
                        .thenComparing(Acl::principal)
                        .thenComparing(Acl::host)
                        .thenComparing(Acl::operation)
                        .thenComparing(Acl::allows))
                .toList();
    }

    /** The error of requests for ACLs while nobody asks about rights, with Kafka's sentence. */
    static RuntimeException disabled() {
        return ErrorCode.SECURITY_DISABLED.because("No Authorizer is configured on the broker.");
    }
}
