package io.felice.itests.clients;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jose4j.jwk.EcJwkGenerator;
import org.jose4j.jwk.EllipticCurveJsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.keys.EllipticCurves;
import org.jose4j.lang.JoseException;

/** An issuer of tokens. */
final class Tokens {
    private final EllipticCurveJsonWebKey key;

    Tokens() {
        try {
            key = EcJwkGenerator.generateJwk(EllipticCurves.P256);
            key.setKeyId("of the test");
            key.setAlgorithm(AlgorithmIdentifiers.ECDSA_USING_P256_CURVE_AND_SHA256);
        } catch (JoseException failure) {
            throw new AssertionError(failure);
        }
    }

    /** Writes the key set that checks the tokens. */
    Path writeKeySet(Path file) {
        try {
            return Files.writeString(file, new JsonWebKeySet(List.of(key)).toJson());
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    String tokenOf(String user, float minutes) {
        JwtClaims claims = new JwtClaims();
        claims.setSubject(user);
        claims.setIssuedAtToNow();
        claims.setExpirationTimeMinutesInTheFuture(minutes);
        claims.setStringClaim("scope", "kafka");
        JsonWebSignature signature = new JsonWebSignature();
        signature.setPayload(claims.toJson());
        signature.setKey(key.getPrivateKey());
        signature.setKeyIdHeaderValue(key.getKeyId());
        signature.setAlgorithmHeaderValue(key.getAlgorithm());
        try {
            return signature.getCompactSerialization();
        } catch (JoseException failure) {
            throw new AssertionError(failure);
        }
    }
}
