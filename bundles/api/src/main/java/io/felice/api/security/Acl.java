package io.felice.api.security;

import java.util.Objects;

/**
 * A right, or a denial, of a principal (KIP-11, KIP-290).
 *
 * @param name the name of the resource, the prefix of names, or {@code *} for all resources of the type
 * @param principal {@code TYPE:NAME}, or {@code User:*} for everybody
 * @param host an address, or {@code *} for all
 */
public record Acl(
        ResourceType type,
        String name,
        Pattern pattern,
        String principal,
        String host,
        Operation operation,
        boolean allows) {
    public static final String ANY = "*";

    /** How the name of an ACL stands for resources, with the numbers on the wire. */
    public enum Pattern {
        LITERAL(3),
        PREFIXED(4);

        private final byte code;

        Pattern(int code) {
            this.code = (byte) code;
        }

        /** The number on the wire. */
        public byte code() {
            return code;
        }
    }

    public Acl {
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(pattern, "pattern");
        Objects.requireNonNull(principal, "principal");
        Objects.requireNonNull(host, "host");
        Objects.requireNonNull(operation, "operation");
    }

    /** True if the ACL is about the resource with this name, which is a resource of its type. */
    public boolean covers(String resource) {
        return pattern == Pattern.PREFIXED ? resource.startsWith(name) : name.equals(ANY) || name.equals(resource);
    }

    @Override
    public String toString() {
        return principal + " from " + host + (allows ? " may " : " must not ") + operation + " " + type + " "
                + (pattern == Pattern.PREFIXED ? name + "..." : name);
    }
}
