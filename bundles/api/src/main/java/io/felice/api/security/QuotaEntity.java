package io.felice.api.security;

/**
 * Whose quota it is (KIP-546). A part that is null does not matter; {@link #DEFAULT} stands for everybody that has no quota
 * of his own.
 */
public record QuotaEntity(String user, String clientId, String ip) {
    /** Everybody without a quota of his own. */
    public static final String DEFAULT = "<default>";

    public QuotaEntity {
        if (user == null && clientId == null && ip == null) {
            throw new IllegalArgumentException("a quota of nobody");
        }
    }
}
