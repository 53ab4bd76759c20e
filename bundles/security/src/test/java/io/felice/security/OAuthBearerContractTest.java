package io.felice.security;

import static io.felice.security.Fakes.utf8;

import io.felice.api.security.Authenticator;
import io.felice.testkit.AuthenticatorContract;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.lang.JoseException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** The secret of a user is a token in the user's name. */
class OAuthBearerContractTest extends AuthenticatorContract {
    private static final PublicJsonWebKey ISSUER = key();
    private static final PublicJsonWebKey FORGER = key();

    @TempDir
    Path temp;

    private final List<SigningKeys> open = new ArrayList<>();

    private static PublicJsonWebKey key() {
        try {
            return RsaJwkGenerator.generateJwk(2048);
        } catch (JoseException impossible) {
            throw new AssertionError(impossible);
        }
    }

    @AfterEach
    void close() {
        open.forEach(SigningKeys::close);
    }

    @Override
    protected Authenticator authenticator() {
        try {
            Path file = temp.resolve("keys.json");
            Files.writeString(file, new JsonWebKeySet(ISSUER).toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY));
            SigningKeys keys = new SigningKeys(file.toString(), 3_600_000, SecurityTimer.started(), System::nanoTime);
            open.add(keys);
            return new OAuthBearerAuthenticator(
                    new TokenCheck(keys, Fakes.settings(Map.of("plugin_timeout_ms", 60_000))));
        } catch (java.io.IOException failed) {
            throw new java.io.UncheckedIOException(failed);
        }
    }

    @Override
    protected ClientSide client(String user, String secretOf) {
        String token = token(secretOf);
        return challenge -> challenge.length > 0
                ? new byte[] {1}
                : utf8("n,a=" + user.replace("=", "=3D") + ",\1auth=Bearer " + token + "\1\1");
    }

    private static String token(String user) {
        JwtClaims claims = new JwtClaims();
        claims.setSubject(user);
        claims.setExpirationTimeMinutesInTheFuture(10);
        JsonWebSignature signature = new JsonWebSignature();
        signature.setPayload(claims.toJson());
        signature.setAlgorithmHeaderValue(AlgorithmIdentifiers.RSA_USING_SHA256);
        signature.setKey((user.equals(NOBODY) ? FORGER : ISSUER).getPrivateKey());
        try {
            return signature.getCompactSerialization();
        } catch (JoseException impossible) {
            throw new AssertionError(impossible);
        }
    }

    @Override
    protected boolean isSafeFromReplay() {
        return false;
    }
}
