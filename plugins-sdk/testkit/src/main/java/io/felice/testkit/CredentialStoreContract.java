package io.felice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.felice.api.security.CredentialStore;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

/**
 * The tests that every credential store must pass. Each test checks a promise of {@link CredentialStore}. A subclass makes a
 * store with the users of the contract.
 */
public abstract class CredentialStoreContract {
    private static final Map<String, String> USERS = Map.of(
            "alice", "wonderland",
            "bob", "builder's secret",
            "al", "wonder",
            "Zo\u00eb", "p\u00e4ssw\u00f6rd \u20ac",
            "with space, comma=equals", "\u00a7 %2C=3D");
    private static final String NOBODY = "nobody";
    private static final int ROUNDS = 20;
    /** A user that there is not must take at least this part of the time of a wrong password. */
    private static final int LEAST_PART = 4;
    /** Below that, the time of a call is not what the store computes. */
    private static final long LEAST_CPU_NANOS_PER_CALL = 200_000;

    /**
     * A fresh store.
     *
     * @param users the password of each user
     */
    protected abstract CredentialStore store(Map<String, String> users);

    private CredentialStore store() {
        return store(USERS);
    }

    private static boolean ask(CredentialStore store, String user, String password) {
        return store.hasPassword(user, password.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void theRightPasswordIsRight() {
        CredentialStore store = store();
        USERS.forEach((user, password) ->
                assertThat(ask(store, user, password)).as(user).isTrue());
    }

    @Test
    void anotherPasswordIsWrong() {
        CredentialStore store = store();
        for (String wrong : List.of(
                "wonderlan",
                "wonder",
                "w",
                "wonderland ",
                " wonderland",
                "wonderland\0",
                "Wonderland",
                "WONDERLAND",
                "wonderland\n",
                "wonderlandwonderland",
                "builder's secret",
                "*",
                "alice",
                "null")) {
            assertThat(ask(store, "alice", wrong)).as(wrong).isFalse();
        }
        assertThat(ask(store, "al", "wonderland")).isFalse();
        assertThat(ask(store, "Zo\u00eb", "p?ssw?rd ?")).isFalse();
    }

    @Test
    void anEmptyPasswordIsNeverRight() {
        CredentialStore store = store();
        USERS.keySet().forEach(user -> assertThat(ask(store, user, "")).isFalse());
        assertThat(ask(store, NOBODY, "")).isFalse();
        assertThat(ask(store, "", "")).isFalse();
    }

    @Test
    void aUserThatThereIsNotHasNoPassword() {
        CredentialStore store = store();
        for (String password : USERS.values()) {
            assertThat(ask(store, NOBODY, password)).isFalse();
            assertThat(ask(store, "", password)).isFalse();
        }
        assertThat(ask(store(Map.of()), "alice", "wonderland")).isFalse();
    }

    @Test
    void namesAreComparedExactly() {
        CredentialStore store = store();
        for (String name : List.of(
                "Alice",
                "ALICE",
                "alic",
                "alice ",
                " alice",
                "alice\0",
                "alice\n",
                "*",
                "a*",
                "alic?",
                "User:alice",
                "alice@example.com",
                "../alice",
                "./alice",
                "\u0430lice",
                "alice,bob")) {
            assertThat(ask(store, name, "wonderland")).as(name).isFalse();
        }
        assertThat(ask(store, "Zoe\u0308", USERS.get("Zo\u00eb"))).isFalse();
    }

    @Test
    void strangeNamesDoNoHarm() {
        CredentialStore store = store();
        for (String name : List.of(
                "",
                "\0",
                "a\0b",
                "\n",
                ":",
                "a:b",
                "#alice",
                "(cn=*)",
                "*)(uid=*",
                "' OR '1'='1",
                "../../etc/passwd",
                "%n",
                "${env:HOME}",
                "\ud83d\ude00",
                "x".repeat(10_000))) {
            assertThatCode(() -> {
                        assertThat(ask(store, name, "wonderland")).isFalse();
                        assertThat(store.scram(name, ScramMechanism.SCRAM_SHA_256))
                                .isEmpty();
                    })
                    .as(name)
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void anAnswerIsAboutThisCall() {
        CredentialStore store = store();
        for (int i = 0; i < 3; i++) {
            assertThat(ask(store, "alice", "wonderland")).isTrue();
            assertThat(ask(store, "alice", "wrong")).isFalse();
            assertThat(ask(store, "bob", "wonderland")).isFalse();
            assertThat(ask(store, "bob", USERS.get("bob"))).isTrue();
            assertThat(ask(store, "alice", USERS.get("bob"))).isFalse();
        }
    }

    @Test
    void manyWrongPasswordsMakeNoneRight() {
        CredentialStore store = store();
        for (int i = 0; i < ROUNDS; i++) {
            assertThat(ask(store, "alice", "wrong" + i)).isFalse();
            assertThat(ask(store, NOBODY, "wrong")).isFalse();
        }
        assertThat(ask(store, "alice", "wrong" + 1)).isFalse();
    }

    /** The caller clears the password after the call. */
    @Test
    void thePasswordIsNotKeptAfterTheCall() {
        CredentialStore store = store();
        byte[] password = USERS.get("alice").getBytes(StandardCharsets.UTF_8);
        assertThat(store.hasPassword("alice", password)).isTrue();
        Arrays.fill(password, (byte) 0);

        assertThat(store.hasPassword("alice", password)).isFalse();
        assertThat(store.hasPassword("alice", new byte[password.length])).isFalse();
        assertThat(ask(store, "alice", "wonderland")).isTrue();
    }

    @Test
    void callsAtTheSameTimeDoNotMixUp() throws Exception {
        CredentialStore store = store();
        List<Callable<Void>> callers = new ArrayList<>();
        for (String user : List.of("alice", "bob", NOBODY, "al")) {
            callers.add(() -> {
                for (int i = 0; i < ROUNDS; i++) {
                    assertThat(ask(store, user, USERS.getOrDefault(user, "wonderland")))
                            .isEqualTo(USERS.containsKey(user));
                    assertThat(ask(store, user, "wrong")).isFalse();
                }
                return null;
            });
        }
        AtTheSameTime.run(callers);
    }

    /** Measures processor time, and only where the store computes for long. */
    @Test
    void aUserThatThereIsNotTakesAsLongAsAWrongPassword() {
        CredentialStore store = store();
        cpuNanos(store, "alice");
        long wrong = cpuNanos(store, "alice");
        long unknown = cpuNanos(store, NOBODY);

        if (wrong > ROUNDS * LEAST_CPU_NANOS_PER_CALL) {
            assertThat(unknown)
                    .as("nanoseconds for a user that there is not; a wrong password takes %s", wrong)
                    .isGreaterThan(wrong / LEAST_PART);
        }
    }

    private static long cpuNanos(CredentialStore store, String user) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long start = threads.getCurrentThreadCpuTime();
        for (int i = 0; i < ROUNDS; i++) {
            ask(store, user, "wrong password");
        }
        return threads.getCurrentThreadCpuTime() - start;
    }

    // ---- SCRAM, if the store can give it

    @Test
    void whoIsNoUserHasNoScramCredential() {
        CredentialStore store = store();
        for (ScramMechanism mechanism : ScramMechanism.values()) {
            for (String name : List.of(NOBODY, "Alice", "alic", "", "*")) {
                assertThat(store.scram(name, mechanism)).as(name).isEmpty();
            }
        }
    }

    @Test
    void theScramCredentialOfAUserIsMadeOfThePassword() throws Exception {
        CredentialStore store = store();
        for (ScramMechanism mechanism : ScramMechanism.values()) {
            for (Map.Entry<String, String> user : USERS.entrySet()) {
                ScramCredential credential =
                        store.scram(user.getKey(), mechanism).orElse(null);
                if (credential != null) {
                    assertMadeOf(credential, mechanism, user.getValue());
                }
            }
        }
    }

    private static void assertMadeOf(ScramCredential credential, ScramMechanism mechanism, String password)
            throws GeneralSecurityException {
        int bits = Byte.SIZE * MessageDigest.getInstance(mechanism.hash()).getDigestLength();
        byte[] salted = SecretKeyFactory.getInstance("PBKDF2With" + mechanism.mac())
                .generateSecret(
                        new PBEKeySpec(password.toCharArray(), credential.salt(), credential.iterations(), bits))
                .getEncoded();
        byte[] clientKey = mac(mechanism, salted, "Client Key");
        assertThat(credential.storedKey())
                .isEqualTo(MessageDigest.getInstance(mechanism.hash()).digest(clientKey));
        assertThat(credential.serverKey()).isEqualTo(mac(mechanism, salted, "Server Key"));
    }

    private static byte[] mac(ScramMechanism mechanism, byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance(mechanism.mac());
        mac.init(new SecretKeySpec(key, mechanism.mac()));
        return mac.doFinal(text.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void theScramCredentialIsWorthTheName() {
        CredentialStore store = store(Map.of("alice", "the same", "bob", "the same"));
        for (ScramMechanism mechanism : ScramMechanism.values()) {
            ScramCredential alice = store.scram("alice", mechanism).orElse(null);
            if (alice != null) {
                assertThat(alice.iterations())
                        .isBetween(ScramMechanism.LEAST_ITERATIONS, ScramMechanism.MOST_ITERATIONS);
                assertThat(alice.salt()).hasSizeGreaterThanOrEqualTo(8);
                assertThat(store.scram("alice", mechanism)).contains(alice);
                assertThat(store.scram("bob", mechanism).orElseThrow().salt())
                        .as("the salt of another user")
                        .isNotEqualTo(alice.salt());
            }
        }
    }
}
