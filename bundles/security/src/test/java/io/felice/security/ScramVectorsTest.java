package io.felice.security;

import static io.felice.security.Fakes.client;
import static io.felice.security.Fakes.utf8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.security.Authenticator.Authenticated;
import io.felice.api.security.Authenticator.Conversation;
import io.felice.api.security.Authenticator.Reply;
import io.felice.api.security.CredentialStore;
import io.felice.api.security.Principal;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The examples of RFC 7677, and what is near to them and wrong. */
class ScramVectorsTest {
    private static final ScramMechanism SHA_256 = ScramMechanism.SCRAM_SHA_256;
    private static final String CLIENT_NONCE = "rOprNGfwEbeRWgbNEkqO";
    private static final String SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    private static final String FIRST = "n,,n=user,r=" + CLIENT_NONCE;
    private static final String FINAL = "c=biws,r=" + CLIENT_NONCE + SERVER_NONCE;
    private static final String PROOF = ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    private static final ScramCredential CREDENTIAL =
            ScramKeys.credential(SHA_256, utf8("pencil"), Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);

    private final CredentialStores stores = new CredentialStores(Fakes.settings(Map.of()));

    @AfterEach
    void stop() {
        stores.close();
    }

    private static Conversation conversation() {
        return new ScramConversation(
                SHA_256, user -> new ScramConversation.Shown(CREDENTIAL, user.equals("user")), () -> SERVER_NONCE);
    }

    private static String text(Reply reply) {
        return new String(reply.message(), StandardCharsets.UTF_8);
    }

    private static void assertRefused(Conversation conversation, String message) {
        assertThatThrownBy(() -> conversation.respond(utf8(message)))
                .as(message)
                .isInstanceOfSatisfying(FeliceException.class, refusal -> assertThat(refusal.code())
                        .isEqualTo(ErrorCode.SASL_AUTHENTICATION_FAILED));
    }

    @Test
    void theExampleOfRfc7677() {
        Conversation conversation = conversation();

        assertThat(text(conversation.respond(utf8(FIRST))))
                .isEqualTo("r=" + CLIENT_NONCE + SERVER_NONCE + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        Reply last = conversation.respond(utf8(FINAL + PROOF));

        assertThat(text(last)).isEqualTo("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assertThat(((Authenticated) last).principal()).isEqualTo(Principal.user("user"));
    }

    /** RFC 5802's example is for SHA-1, which nobody offers; its Hi is that of RFC 6070 and is checked with SHA-512 here. */
    @Test
    void theKeysAreThoseOfPbkdf2() throws Exception {
        for (ScramMechanism mechanism : ScramMechanism.values()) {
            byte[] expected = javax.crypto.SecretKeyFactory.getInstance("PBKDF2With" + mechanism.mac())
                    .generateSecret(new javax.crypto.spec.PBEKeySpec(
                            "pencil".toCharArray(), utf8("salt"), 4096, 8 * ScramKeys.keyBytes(mechanism)))
                    .getEncoded();
            assertThat(ScramKeys.salted(mechanism, utf8("pencil"), utf8("salt"), 4096))
                    .isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "n=user,r=abc",
                "y,,n=user,r=abc",
                "p=tls-unique,,n=user,r=abc",
                "n,,n=,r=abc",
                "n,,n=user,r=",
                "n,,n=user",
                "n,,r=abc,n=user",
                "n,,m=must,n=user,r=abc",
                "n,,n=us=er,r=abc",
                "n,,n=us=2Der,r=abc",
                "n,,n=user,r=a b",
                "n,a=admin,n=user,r=abc",
                "n,a=user=2C,n=user,r=abc",
                "n,,n=user,r=abc,tokenauth=true",
                "n,,n=user,r=abc,x",
                "n,,n=user\0,r=abc",
            })
    void aFirstMessageThatIsNotAllowedIsRefused(String message) {
        assertRefused(conversation(), message);
    }

    @Test
    void anAuthorizationIdOfTheUserAndUnknownExtensionsDoNoHarm() {
        assertThat(text(conversation().respond(utf8("n,a=user,n=user,r=abc,x=1,yy=2"))))
                .startsWith("r=abc" + SERVER_NONCE);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                FINAL,
                FINAL + ",p=",
                FINAL + ",p=====",
                FINAL + ",p=AAAA",
                FINAL + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVA=",
                FINAL + ",x=1" + PROOF,
                "c=biws,r=" + CLIENT_NONCE + PROOF,
                "c=biws,r=" + SERVER_NONCE + PROOF,
                "c=biws,r=" + CLIENT_NONCE + SERVER_NONCE + "x" + PROOF,
                "c=eSws,r=" + CLIENT_NONCE + SERVER_NONCE + PROOF,
                "r=" + CLIENT_NONCE + SERVER_NONCE + PROOF,
                FIRST,
            })
    void aFinalMessageThatProvesNothingIsRefused(String message) {
        Conversation conversation = conversation();
        conversation.respond(utf8(FIRST));
        assertRefused(conversation, message);
    }

    /** Old librdkafka sends its own nonce twice (CVE-2024-56128 is about less than the whole nonce). */
    @Test
    void theNonceMayHaveTheClientsNonceInFrontOfIt() throws Exception {
        Conversation conversation = conversation();
        String serverFirst = text(conversation.respond(utf8(FIRST)));
        String unproved = "c=biws,r=" + CLIENT_NONCE + CLIENT_NONCE + SERVER_NONCE;

        Reply last = conversation.respond(utf8(unproved + ",p=" + proof(serverFirst, unproved)));

        assertThat(((Authenticated) last).principal()).isEqualTo(Principal.user("user"));
    }

    @Test
    void aRightProofWithLessThanTheWholeNonceIsRefused() {
        String whole = CLIENT_NONCE + SERVER_NONCE;
        for (String nonce : List.of(
                CLIENT_NONCE,
                SERVER_NONCE,
                whole.substring(1),
                whole.substring(0, whole.length() - 1),
                whole + "x",
                whole + CLIENT_NONCE,
                whole.toLowerCase(Locale.ROOT))) {
            Conversation conversation = conversation();
            String serverFirst = text(conversation.respond(utf8(FIRST)));
            String unproved = "c=biws,r=" + nonce;
            assertRefused(conversation, unproved + ",p=" + proof(serverFirst, unproved));
        }
    }

    private static String proof(String serverFirst, String unproved) {
        byte[] salted = ScramKeys.salted(SHA_256, utf8("pencil"), CREDENTIAL.salt(), 4096);
        byte[] clientKey = ScramKeys.hmac(SHA_256, salted, utf8("Client Key"));
        byte[] signature = ScramKeys.hmac(
                SHA_256, CREDENTIAL.storedKey(), utf8(FIRST.substring(3) + "," + serverFirst + "," + unproved));
        for (int i = 0; i < signature.length; i++) {
            signature[i] ^= clientKey[i];
        }
        return Base64.getEncoder().encodeToString(signature);
    }

    @Test
    void aRightProofForSomebodyWhoIsNoUserIsRefused() {
        Conversation conversation = new ScramConversation(
                SHA_256, user -> new ScramConversation.Shown(CREDENTIAL, false), () -> SERVER_NONCE);
        conversation.respond(utf8(FIRST));
        assertRefused(conversation, FINAL + PROOF);
    }

    // ---- what is shown of users that there are not

    private String shown(String user) {
        return text(new ScramSha256Authenticator(stores)
                .begin(client("10.0.0.1"))
                .respond(utf8("n,,n=" + user + ",r=abc")));
    }

    @Test
    void somebodyWhoIsNoUserLooksLikeAUser() {
        Fakes.Metadata metadata = new Fakes.Metadata();
        metadata.addUser("alice", "secret");
        Fakes.bindStore(stores, new FeliceCredentialStore(metadata), Map.of(CredentialStore.NAME, "felice"));
        ScramSha256Authenticator scram = new ScramSha256Authenticator(stores);

        String[] first = parts(scram, "nobody");
        String[] again = parts(scram, "nobody");
        String[] another = parts(scram, "nobody2");

        assertThat(first[0]).isNotEqualTo(again[0]);
        assertThat(first[1]).isEqualTo(again[1]).isNotEqualTo(another[1]);
        assertThat(first[2]).isEqualTo(parts(scram, "alice")[2]).isEqualTo("i=4096");
    }

    private static String[] parts(ScramSha256Authenticator scram, String user) {
        return text(scram.begin(client("10.0.0.1")).respond(utf8("n,,n=" + user + ",r=abc")))
                .split(",");
    }

    @Test
    void aCredentialWithFewIterationsLetsNobodyIn() {
        ScramCredential weak = ScramKeys.credential(SHA_256, utf8("pencil"), utf8("salt"), 4095);
        Fakes.bindStore(
                stores,
                new CredentialStore() {
                    @Override
                    public boolean hasPassword(String user, byte[] password) {
                        return false;
                    }

                    @Override
                    public Optional<ScramCredential> scram(String user, ScramMechanism mechanism) {
                        return Optional.of(weak);
                    }
                },
                Map.of(CredentialStore.NAME, "felice"));

        assertThat(shown("alice"))
                .doesNotContain("i=4095")
                .doesNotContain(Base64.getEncoder().encodeToString(utf8("salt")));
    }
}
