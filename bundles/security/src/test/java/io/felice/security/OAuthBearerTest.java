package io.felice.security;

import static io.felice.security.Fakes.client;
import static io.felice.security.Fakes.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Authenticator.Authenticated;
import io.felice.api.security.Authenticator.Challenge;
import io.felice.api.security.Authenticator.Conversation;
import io.felice.api.security.Authenticator.Reply;
import io.felice.api.security.Principal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.sasl.SaslClient;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.auth.SaslExtensionsCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerTokenCallback;
import org.apache.kafka.common.security.oauthbearer.internals.OAuthBearerSaslClient;
import org.jose4j.jwa.AlgorithmConstraints;
import org.jose4j.jwk.EcJwkGenerator;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.NumericDate;
import org.jose4j.keys.EllipticCurves;
import org.jose4j.keys.HmacKey;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens of an issuer let in the users that they name, and nobody else. */
class OAuthBearerTest {
    private static final String INVALID = "{\"status\":\"invalid_token\"}";
    private static final PublicJsonWebKey RSA = rsa("one");
    private static final PublicJsonWebKey OTHER = rsa("two");

    @TempDir
    Path temp;

    private final AtomicLong now = new AtomicLong();
    private final Map<String, Object> values = new HashMap<>(Map.of(
            "oauth_issuer", "https://issuer.example",
            "oauth_audience", "felice, kafka",
            "oauth_scope", "produce",
            "plugin_timeout_ms", 60_000));
    private Path file;
    private SigningKeys keys;

    private static PublicJsonWebKey rsa(String id) {
        try {
            PublicJsonWebKey key = RsaJwkGenerator.generateJwk(2048);
            key.setKeyId(id);
            return key;
        } catch (org.jose4j.lang.JoseException impossible) {
            throw new AssertionError(impossible);
        }
    }

    @BeforeEach
    void start() throws Exception {
        file = temp.resolve("keys.json");
        publish(RSA);
        keys = keys(file.toString());
    }

    @AfterEach
    void stop() {
        keys.close();
    }

    private SigningKeys keys(String location) {
        return new SigningKeys(location, 3_600_000, SecurityTimer.started(), now::get);
    }

    private void publish(JsonWebKey... published) throws Exception {
        Path next = temp.resolve("next.json");
        Files.writeString(next, new JsonWebKeySet(published).toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY));
        Files.move(next, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }

    private static JwtClaims claims() {
        JwtClaims claims = new JwtClaims();
        claims.setSubject("alice");
        claims.setIssuer("https://issuer.example");
        claims.setAudience("felice");
        claims.setIssuedAtToNow();
        claims.setExpirationTimeMinutesInTheFuture(10);
        claims.setStringClaim("scope", "consume produce");
        return claims;
    }

    private static String signed(JwtClaims claims, String algorithm, java.security.Key key, String keyId)
            throws Exception {
        JsonWebSignature signature = new JsonWebSignature();
        signature.setPayload(claims.toJson());
        signature.setAlgorithmHeaderValue(algorithm);
        signature.setAlgorithmConstraints(AlgorithmConstraints.NO_CONSTRAINTS);
        signature.setDoKeyValidation(false);
        signature.setKey(key);
        if (keyId != null) {
            signature.setKeyIdHeaderValue(keyId);
        }
        return signature.getCompactSerialization();
    }

    private static String signed(JwtClaims claims) throws Exception {
        return signed(claims, AlgorithmIdentifiers.RSA_USING_SHA256, RSA.getPrivateKey(), "one");
    }

    private Conversation conversation() {
        return new OAuthBearerAuthenticator(new TokenCheck(keys, Fakes.settings(values))).begin(client("10.0.0.1"));
    }

    private Reply login(String token) {
        return conversation().respond(utf8("n,,\1auth=Bearer " + token + "\1\1"));
    }

    private void assertLetIn(String token) {
        assertThat(login(token)).isInstanceOfSatisfying(Authenticated.class, who -> assertThat(who.principal())
                .isEqualTo(Principal.user("alice")));
    }

    private void assertInvalid(String token) {
        Conversation conversation = conversation();
        Reply reply = conversation.respond(utf8("n,,\1auth=Bearer " + token + "\1\1"));
        assertThat(reply).isInstanceOf(Challenge.class);
        assertThat(new String(reply.message(), StandardCharsets.UTF_8)).isEqualTo(INVALID);
        assertRefused(conversation, "\1");
    }

    private static void assertRefused(Conversation conversation, String message) {
        assertThatThrownBy(() -> conversation.respond(utf8(message)))
                .isInstanceOfSatisfying(FeliceException.class, refusal -> assertThat(refusal.code())
                        .isEqualTo(ErrorCode.SASL_AUTHENTICATION_FAILED));
    }

    // ---- Kafka's client

    private static SaslClient kafkasClient(String token) {
        return new OAuthBearerSaslClient(new AuthenticateCallbackHandler() {
            @Override
            public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {}

            @Override
            public void handle(Callback[] callbacks) throws UnsupportedCallbackException {
                for (Callback callback : callbacks) {
                    if (callback instanceof OAuthBearerTokenCallback asked) {
                        asked.token(new ClientToken(token));
                    } else if (!(callback instanceof SaslExtensionsCallback)) {
                        throw new UnsupportedCallbackException(callback);
                    }
                }
            }

            @Override
            public void close() {}
        });
    }

    /** What Kafka's client knows of a token. */
    private record ClientToken(String value) implements OAuthBearerToken {
        @Override
        public Set<String> scope() {
            return new HashSet<>();
        }

        @Override
        public long lifetimeMs() {
            return Long.MAX_VALUE;
        }

        @Override
        public String principalName() {
            return "alice";
        }

        @Override
        public Long startTimeMs() {
            return null;
        }
    }

    @Test
    void kafkasClientLogsInUntilItsTokenExpires() throws Exception {
        JwtClaims claims = claims();
        SaslClient client = kafkasClient(signed(claims));

        Reply reply = conversation().respond(client.evaluateChallenge(new byte[0]));

        client.evaluateChallenge(reply.message());
        assertThat(client.isComplete()).isTrue();
        assertThat(((Authenticated) reply).principal()).isEqualTo(Principal.user("alice"));
        assertThat(((Authenticated) reply).validUntil())
                .contains(Instant.ofEpochMilli(claims.getExpirationTime().getValueInMillis()));
    }

    @Test
    void kafkasClientGetsTheReasonOfARefusal() throws Exception {
        SaslClient client = kafkasClient(signed(claims()) + "x");
        Conversation conversation = conversation();

        Reply reply = conversation.respond(client.evaluateChallenge(new byte[0]));
        byte[] answer = client.evaluateChallenge(reply.message());

        assertThatThrownBy(() -> conversation.respond(answer)).hasMessage(INVALID);
    }

    // ---- tokens

    @Test
    void aTokenMustBeSignedByAKeyOfTheSetWithAnAsymmetricAlgorithm() throws Exception {
        assertLetIn(signed(claims()));
        assertLetIn(signed(claims(), AlgorithmIdentifiers.RSA_PSS_USING_SHA512, RSA.getPrivateKey(), null));

        assertInvalid(signed(claims(), AlgorithmIdentifiers.NONE, null, null));
        assertInvalid(signed(claims(), AlgorithmIdentifiers.NONE, null, "one"));
        assertInvalid(signed(claims(), AlgorithmIdentifiers.RSA_USING_SHA256, OTHER.getPrivateKey(), "one"));
        assertInvalid(signed(claims(), AlgorithmIdentifiers.RSA_USING_SHA256, OTHER.getPrivateKey(), null));
        byte[] publicKey = RSA.getPublicKey().getEncoded();
        assertInvalid(signed(claims(), AlgorithmIdentifiers.HMAC_SHA256, new HmacKey(publicKey), "one"));
        String token = signed(claims());
        assertInvalid(token.substring(0, token.length() - 4));
        assertInvalid(token.substring(0, token.lastIndexOf('.') + 1));
        assertInvalid("x");
        assertInvalid("x".repeat(TokenCheck.MOST_CHARACTERS + 1));
    }

    @Test
    void aKeyThatIsInTheTokenIsNotUsed() throws Exception {
        JsonWebSignature signature = new JsonWebSignature();
        signature.setPayload(claims().toJson());
        signature.setAlgorithmHeaderValue(AlgorithmIdentifiers.RSA_USING_SHA256);
        signature.setKey(OTHER.getPrivateKey());
        signature.setJwkHeader(OTHER);
        assertInvalid(signature.getCompactSerialization());
    }

    @Test
    void headersThatMakeNoSenseAreInvalid() throws Exception {
        String rest = signed(claims());
        rest = rest.substring(rest.indexOf('.'));
        for (String header : List.of(
                "",
                "[]",
                "null",
                "7",
                "{",
                "{}",
                "{\"alg\":7}",
                "{\"alg\":[\"RS256\"]}",
                "{\"alg\":\"RS256\",\"kid\":7}",
                "{\"alg\":\"RS256\",\"kid\":{\"a\":[]}}",
                "{\"alg\":\"RS256\",\"crit\":7}",
                "{\"alg\":\"RS256\",\"jwk\":\"x\"}",
                "{\"alg\":\"RS256\",\"x5t\":[1]}",
                "{\"alg\":\"dir\",\"enc\":\"A128GCM\"}",
                "[".repeat(9_000))) {
            assertInvalid(Base64.getUrlEncoder().withoutPadding().encodeToString(utf8(header)) + rest);
        }
        assertInvalid("a.b.c.d.e");
        assertInvalid("....");
    }

    @Test
    void keysOfEllipticCurvesWork() throws Exception {
        PublicJsonWebKey curve = EcJwkGenerator.generateJwk(EllipticCurves.P256);
        curve.setKeyId("curve");
        publish(RSA, curve);
        now.addAndGet(TimeUnit.SECONDS.toNanos(11));
        assertLetIn(signed(
                claims(), AlgorithmIdentifiers.ECDSA_USING_P256_CURVE_AND_SHA256, curve.getPrivateKey(), "curve"));
    }

    @Test
    void theClaimsMustBeWhatTheSettingsWant() throws Exception {
        JwtClaims claims = claims();
        claims.setIssuer("https://issuer.example.org");
        assertInvalid(signed(claims));

        claims = claims();
        claims.setAudience("others");
        assertInvalid(signed(claims));

        claims = claims();
        claims.unsetClaim("aud");
        assertInvalid(signed(claims));

        claims = claims();
        claims.setAudience("others", "kafka");
        assertLetIn(signed(claims));

        claims = claims();
        claims.setStringClaim("scope", "producer reproduce");
        assertInvalid(signed(claims));

        claims = claims();
        claims.setStringListClaim("scope", "a", "produce");
        assertLetIn(signed(claims));

        for (Object user : new Object[] {"", 7, List.of("alice"), true}) {
            claims = claims();
            claims.setClaim("sub", user);
            assertInvalid(signed(claims));
        }
    }

    @Test
    void withoutASettingForAudiencesATokenForSomebodyElseIsInvalid() throws Exception {
        values.remove("oauth_audience");
        assertInvalid(signed(claims()));
        JwtClaims claims = claims();
        claims.unsetClaim("aud");
        assertLetIn(signed(claims));
    }

    @Test
    void theTimesOfATokenCountWithTheSkewOfTheClocks() throws Exception {
        JwtClaims claims = claims();
        claims.unsetClaim("exp");
        assertInvalid(signed(claims));

        claims = claims();
        claims.setExpirationTime(secondsFromNow(-40));
        assertInvalid(signed(claims));

        claims = claims();
        claims.setNotBefore(secondsFromNow(300));
        assertInvalid(signed(claims));

        claims = claims();
        claims.setIssuedAt(secondsFromNow(-60));
        claims.setExpirationTime(secondsFromNow(-5));
        values.put("oauth_clock_skew_ms", 300_000);
        Authenticated late = (Authenticated) login(signed(claims));
        assertThat(late.validUntil().orElseThrow()).isAfter(Instant.now());
    }

    private static NumericDate secondsFromNow(int seconds) {
        return NumericDate.fromSeconds(Instant.now().getEpochSecond() + seconds);
    }

    @Test
    void theUserIsInTheClaimThatTheSettingsName() throws Exception {
        values.put("oauth_principal_claim", "preferred_username");
        assertInvalid(signed(claims()));
        JwtClaims claims = claims();
        claims.setSubject("1234");
        claims.setStringClaim("preferred_username", "alice");
        assertLetIn(signed(claims));
    }

    // ---- messages

    @Test
    void aMessageThatIsMalformedIsRefused() throws Exception {
        String token = signed(claims());
        for (String message : List.of(
                "",
                "\1",
                "n,,",
                "n,,\1\1",
                "n,,\1auth=Bearer \1\1",
                "n,,\1auth=Basic " + token + "\1\1",
                "n,,\1auth=Bearer " + token + "\1",
                "n,,auth=Bearer " + token + "\1\1",
                "y,,\1auth=Bearer " + token + "\1\1",
                "n,a=bob,\1auth=Bearer " + token + "\1\1",
                "n,,\1auth=Bearer " + token + " x\1\1")) {
            assertRefused(conversation(), message);
        }
        assertThat(conversation().respond(utf8("n,a=alice,\1host=x\1auth=bearer " + token + "\1port=1\1\1")))
                .isInstanceOf(Authenticated.class);
    }

    @Test
    void afterAnInvalidTokenTheConversationHasEnded() throws Exception {
        Conversation conversation = conversation();
        conversation.respond(utf8("n,,\1auth=Bearer x\1\1"));
        assertRefused(conversation, "n,,\1auth=Bearer " + signed(claims()) + "\1\1");
    }

    // ---- keys

    @Test
    void aTokenWithANewKeyMakesTheKeysBeReadAgain() throws Exception {
        assertLetIn(signed(claims()));
        publish(OTHER);
        String token = signed(claims(), AlgorithmIdentifiers.RSA_USING_SHA256, OTHER.getPrivateKey(), "two");
        assertInvalid(token);

        now.addAndGet(TimeUnit.SECONDS.toNanos(11));

        assertLetIn(token);
        assertInvalid(signed(claims()));
    }

    @Test
    void keysThatCannotBeReadLeaveTheLastOnesInUse() throws Exception {
        assertLetIn(signed(claims()));
        for (String broken : List.of("", "{", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}")) {
            Files.writeString(file, broken);
            now.addAndGet(TimeUnit.SECONDS.toNanos(11));
            assertInvalid(signed(claims(), AlgorithmIdentifiers.RSA_USING_SHA256, OTHER.getPrivateKey(), "two"));

            assertThat(keys.failure()).as(broken).isPresent();
            assertLetIn(signed(claims()));
        }
        publish(RSA);
        now.addAndGet(TimeUnit.SECONDS.toNanos(11));
        assertInvalid(signed(claims(), AlgorithmIdentifiers.RSA_USING_SHA256, OTHER.getPrivateKey(), "two"));
        assertThat(keys.failure()).isEmpty();
    }

    @Test
    void keysComeFromAServerThatIsNotFollowedElsewhere() throws Exception {
        String set = new JsonWebKeySet(RSA).toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY);
        AtomicReference<String> answer = new AtomicReference<>(set);
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/keys", exchange -> {
            byte[] bytes = utf8(answer.get());
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.createContext("/elsewhere", exchange -> {
            exchange.getResponseHeaders().add("Location", "/keys");
            exchange.sendResponseHeaders(302, -1);
            exchange.close();
        });
        server.start();
        String url = "http://" + server.getAddress().getHostString() + ":"
                + server.getAddress().getPort();
        try {
            keys.close();
            keys = keys(url + "/keys");
            assertLetIn(signed(claims()));

            answer.set("x".repeat(SigningKeys.MOST_BYTES + 1));
            now.addAndGet(TimeUnit.SECONDS.toNanos(11));
            assertInvalid(signed(claims(), AlgorithmIdentifiers.RSA_USING_SHA256, OTHER.getPrivateKey(), "two"));
            assertThat(keys.failure()).hasValueSatisfying(why -> assertThat(why).contains("more than"));
            assertLetIn(signed(claims()));

            SigningKeys followed = keys(url + "/elsewhere");
            await().until(() -> followed.failure().isPresent());
            assertThat(followed.keys()).isEmpty();
            followed.close();
        } finally {
            server.stop(0);
        }
    }

    // ---- the component

    @Test
    void theMechanismIsOfferedOnlyWhileThereIsASettingForItsKeys() {
        List<Object> registered = new java.util.ArrayList<>();
        OAuthBearerMechanism mechanism = new OAuthBearerMechanism(bundle(registered), Fakes.settings(Map.of()));
        assertThat(registered).isEmpty();

        mechanism.modified(Fakes.settings(Map.of("oauth_jwks", file.toString())));
        assertThat(registered).hasSize(1).first().isInstanceOf(Authenticator.class);
        Object first = registered.get(0);
        mechanism.modified(Fakes.settings(Map.of("oauth_jwks", file.toString(), "authorizer", "acl")));
        assertThat(registered).containsExactly(first);

        mechanism.modified(
                Fakes.settings(Map.of("oauth_jwks", temp.resolve("nothing").toString())));
        await().until(() -> !mechanism.troubles().isEmpty());
        assertThat(mechanism.troubles().get(0).reason()).contains("nobody can log in with OAUTHBEARER");

        mechanism.modified(Fakes.settings(Map.of()));
        assertThat(registered).isEmpty();
        assertThat(mechanism.troubles()).isEmpty();
    }

    private static org.osgi.framework.BundleContext bundle(List<Object> registered) {
        return proxy(org.osgi.framework.BundleContext.class, (proxy, method, arguments) -> {
            assertThat(method.getName()).isEqualTo("registerService");
            Object service = arguments[1];
            registered.add(service);
            return proxy(org.osgi.framework.ServiceRegistration.class, (self, unregister, none) -> {
                registered.remove(service);
                return null;
            });
        });
    }

    private static <T> T proxy(Class<T> type, java.lang.reflect.InvocationHandler handler) {
        return type.cast(java.lang.reflect.Proxy.newProxyInstance(
                OAuthBearerTest.class.getClassLoader(), new Class<?>[] {type}, handler));
    }
}
