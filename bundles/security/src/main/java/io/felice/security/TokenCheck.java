package io.felice.security;

import java.security.Key;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jose4j.jwa.AlgorithmConstraints;
import org.jose4j.jwa.AlgorithmConstraints.ConstraintType;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.VerificationJwkSelector;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.MalformedClaimException;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.jwt.consumer.JwtConsumer;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.lang.JoseException;
import org.jose4j.lang.UnresolvableKeyException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks tokens (RFC 7519): a signature by one of the keys with an asymmetric algorithm, the issuer, the audience, the
 * times and the scopes. The keys that a token names itself are not used. Any thread; waits while keys are being read.
 */
final class TokenCheck {
    static final int MOST_CHARACTERS = 16_384;

    private static final Logger log = LoggerFactory.getLogger(TokenCheck.class);

    private static final AlgorithmConstraints ASYMMETRIC = new AlgorithmConstraints(
            ConstraintType.PERMIT,
            AlgorithmIdentifiers.RSA_USING_SHA256,
            AlgorithmIdentifiers.RSA_USING_SHA384,
            AlgorithmIdentifiers.RSA_USING_SHA512,
            AlgorithmIdentifiers.RSA_PSS_USING_SHA256,
            AlgorithmIdentifiers.RSA_PSS_USING_SHA384,
            AlgorithmIdentifiers.RSA_PSS_USING_SHA512,
            AlgorithmIdentifiers.ECDSA_USING_P256_CURVE_AND_SHA256,
            AlgorithmIdentifiers.ECDSA_USING_P384_CURVE_AND_SHA384,
            AlgorithmIdentifiers.ECDSA_USING_P521_CURVE_AND_SHA512,
            AlgorithmIdentifiers.EDDSA);

    private static final AlgorithmConstraints NO_ENCRYPTION = new AlgorithmConstraints(ConstraintType.PERMIT);

    private final SigningKeys keys;
    private final JwtConsumer consumer;
    private final String principalClaim;
    private final String scopeClaim;
    private final Set<String> scopes;
    private final int clockSkewMs;
    private final int waitMs;

    TokenCheck(SigningKeys keys, SecuritySettings settings) {
        this.keys = keys;
        this.principalClaim = settings.oauth_principal_claim();
        this.scopeClaim = settings.oauth_scope_claim();
        this.scopes = listed(settings.oauth_scope());
        this.clockSkewMs = settings.oauth_clock_skew_ms();
        this.waitMs = settings.plugin_timeout_ms() / 2;
        JwtConsumerBuilder builder = new JwtConsumerBuilder()
                .setJwsAlgorithmConstraints(ASYMMETRIC)
                .setJweAlgorithmConstraints(NO_ENCRYPTION)
                .setVerificationKeyResolver((signature, nesting) -> key(signature))
                .setRequireExpirationTime()
                .setAllowedClockSkewInSeconds((int) TimeUnit.MILLISECONDS.toSeconds(clockSkewMs));
        if (!settings.oauth_issuer().isEmpty()) {
            builder.setExpectedIssuer(settings.oauth_issuer());
        }
        Set<String> audiences = listed(settings.oauth_audience());
        if (!audiences.isEmpty()) {
            builder.setExpectedAudience(audiences.toArray(String[]::new));
        }
        this.consumer = builder.build();
    }

    /** What a token says that is valid. */
    record Token(String user, Instant validUntil) {}

    private static Set<String> listed(String text) {
        return Arrays.stream(text.split(","))
                .map(String::trim)
                .filter(item -> !item.isEmpty())
                .collect(Collectors.toUnmodifiableSet());
    }

    /** Empty if the token is not valid. */
    Optional<Token> check(String token) {
        if (token.length() > MOST_CHARACTERS) {
            return Optional.empty();
        }
        try {
            JwtClaims claims = consumer.processToClaims(token);
            String user = claims.getClaimValue(principalClaim, String.class);
            if (user == null || user.isEmpty() || !scopesIn(claims).containsAll(scopes)) {
                log.debug("A token has no claim {} or not all scopes {}", principalClaim, scopes);
                return Optional.empty();
            }
            return Optional.of(new Token(user, validUntil(claims)));
        } catch (InvalidJwtException invalid) {
            log.debug(
                    "A token is refused, with the error codes {} of jose4j",
                    invalid.getErrorDetails().stream()
                            .map(error -> error.getErrorCode())
                            .toList());
            return Optional.empty();
        } catch (MalformedClaimException | RuntimeException malformed) {
            log.debug("A header or claim of a token has a wrong type: {}", malformed.getClass());
            return Optional.empty();
        }
    }

    /** The expiration, or what the difference of the clocks adds to it. */
    private Instant validUntil(JwtClaims claims) throws MalformedClaimException {
        Instant expires = Instant.ofEpochMilli(claims.getExpirationTime().getValueInMillis());
        return expires.isAfter(Instant.now()) ? expires : expires.plusMillis(clockSkewMs);
    }

    private Set<String> scopesIn(JwtClaims claims) throws MalformedClaimException {
        Object value = claims.getClaimValue(scopeClaim);
        if (value instanceof String text) {
            return Arrays.stream(text.trim().split(" +")).collect(Collectors.toUnmodifiableSet());
        } else if (value instanceof List<?>) {
            return Set.copyOf(claims.getStringListClaimValue(scopeClaim));
        }
        return Set.of();
    }

    private Key key(JsonWebSignature signature) throws UnresolvableKeyException {
        Optional<JsonWebKey> found = find(signature);
        if (found.isEmpty()) {
            keys.awaitNewer(waitMs);
            found = find(signature);
        }
        return found.orElseThrow(() -> new UnresolvableKeyException("no key of the set fits"))
                .getKey();
    }

    private Optional<JsonWebKey> find(JsonWebSignature signature) throws UnresolvableKeyException {
        try {
            VerificationJwkSelector selector = new VerificationJwkSelector();
            List<JsonWebKey> fitting = selector.selectList(signature, keys.keys());
            return fitting.size() > 1
                    ? Optional.ofNullable(selector.selectWithVerifySignatureDisambiguate(signature, fitting))
                    : fitting.stream().findFirst();
        } catch (JoseException unusable) {
            throw new UnresolvableKeyException("the key cannot be found", unusable);
        }
    }
}
