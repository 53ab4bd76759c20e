package io.felice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Authenticator.Authenticated;
import io.felice.api.security.Authenticator.Challenge;
import io.felice.api.security.Authenticator.Conversation;
import io.felice.api.security.Authenticator.Reply;
import java.net.InetAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/**
 * The tests that every authenticator must pass. Each test checks a promise of {@link Authenticator}. A subclass makes an
 * authenticator that knows the users {@code alice} and {@code bob} and no other, and plays the client.
 */
public abstract class AuthenticatorContract {
    protected static final String ALICE = "alice";
    protected static final String BOB = "bob";
    /** A user that there is not. */
    protected static final String NOBODY = "nobody";

    private static final int MOST_STEPS = 10;
    private static final int ATTEMPTS = 20;
    private static final int RANDOM_MESSAGES = 500;
    private static final int MOST_RANDOM_BYTES = 200;
    /** The longest message that an authenticator gets. */
    private static final int MOST_BYTES = 512 << 10;

    /** The client's side of one login. */
    public interface ClientSide {
        /**
         * The client's next message.
         *
         * @param challenge what the server has said; empty at the beginning
         */
        byte[] respond(byte[] challenge);
    }

    /** A fresh authenticator. */
    protected abstract Authenticator authenticator();

    /**
     * A client that says that it is {@code user} and has the secret of {@code secretOf}. The secret of {@link #NOBODY} is
     * nobody's.
     */
    protected abstract ClientSide client(String user, String secretOf);

    /** False if the messages of a login let in whoever sends them again, as a password does. */
    protected boolean isSafeFromReplay() {
        return true;
    }

    private static Authenticator.Client from() {
        return new Authenticator.Client(InetAddress.getLoopbackAddress(), "SASL", true);
    }

    /** What came of a login. */
    private record Outcome(Authenticated in, String refusal, int steps, List<byte[]> messages) {}

    private static Outcome login(Authenticator authenticator, ClientSide client) {
        try (Conversation conversation = authenticator.begin(from())) {
            List<byte[]> messages = new ArrayList<>();
            byte[] challenge = {};
            for (int step = 1; step <= MOST_STEPS; step++) {
                byte[] message = client.respond(challenge);
                messages.add(message.clone());
                try {
                    Reply reply = conversation.respond(message);
                    if (reply instanceof Authenticated in) {
                        return new Outcome(in, null, step, messages);
                    }
                    challenge = ((Challenge) reply).message();
                } catch (FeliceException refusal) {
                    assertThat(refusal.code()).isEqualTo(ErrorCode.SASL_AUTHENTICATION_FAILED);
                    return new Outcome(null, refusal.getMessage(), step, messages);
                }
            }
        }
        return fail("the login does not end within " + MOST_STEPS + " messages");
    }

    private static void assertLetIn(Outcome outcome, String user) {
        assertThat(outcome.refusal()).as("why %s is refused", user).isNull();
        assertThat(outcome.in().principal().name()).isEqualTo(user);
        assertThat(outcome.in().message()).isNotNull();
    }

    private static void assertRefused(Outcome outcome) {
        assertThat(outcome.in()).as("who is let in").isNull();
        assertThat(outcome.refusal()).isNotBlank();
    }

    @Test
    void whoHasTheSecretIsLetInAsHimself() {
        Authenticator authenticator = authenticator();
        assertLetIn(login(authenticator, client(ALICE, ALICE)), ALICE);
        assertLetIn(login(authenticator, client(BOB, BOB)), BOB);
        assertLetIn(login(authenticator, client(ALICE, ALICE)), ALICE);
    }

    @Test
    void whoHasAnotherSecretIsRefused() {
        Authenticator authenticator = authenticator();
        assertRefused(login(authenticator, client(ALICE, BOB)));
        assertRefused(login(authenticator, client(BOB, ALICE)));
        assertRefused(login(authenticator, client(ALICE, NOBODY)));
    }

    @Test
    void manyAttemptsLetNobodyIn() {
        Authenticator authenticator = authenticator();
        for (int i = 0; i < ATTEMPTS; i++) {
            assertRefused(login(authenticator, client(ALICE, NOBODY)));
        }
        assertLetIn(login(authenticator, client(ALICE, ALICE)), ALICE);
    }

    @Test
    void aUserThatThereIsNotIsRefused() {
        Authenticator authenticator = authenticator();
        for (String name : List.of(NOBODY, "Alice", "ALICE", "alic", "alice ", "*", "a")) {
            assertRefused(login(authenticator, client(name, ALICE)));
        }
    }

    @Test
    void aRefusalDoesNotSayWhichUsersThereAre() {
        Authenticator authenticator = authenticator();
        Outcome ofUser = login(authenticator, client(ALICE, NOBODY));
        Outcome ofNobody = login(authenticator, client(NOBODY, NOBODY));
        assertThat(ofNobody.refusal()).isEqualTo(ofUser.refusal());
        assertThat(ofNobody.steps()).isEqualTo(ofUser.steps());
    }

    @Test
    void aLoginKeepsNothingOfTheOneBefore() {
        Authenticator authenticator = authenticator();
        assertLetIn(login(authenticator, client(ALICE, ALICE)), ALICE);
        assertRefused(login(authenticator, client(ALICE, NOBODY)));
        assertRefused(login(authenticator, client(BOB, ALICE)));
        assertLetIn(login(authenticator, client(BOB, BOB)), BOB);
        assertRefused(login(authenticator, client(BOB, NOBODY)));
        assertLetIn(login(authenticator, client(ALICE, ALICE)), ALICE);
    }

    /** Two conversations take turns, message by message. */
    @Test
    void conversationsThatTakeTurnsDoNotMixUp() {
        Authenticator authenticator = authenticator();
        Turns alice = new Turns(authenticator, client(ALICE, ALICE));
        Turns bob = new Turns(authenticator, client(BOB, BOB));
        Turns wrong = new Turns(authenticator, client(ALICE, NOBODY));
        for (int step = 0; step < MOST_STEPS; step++) {
            alice.next();
            wrong.next();
            bob.next();
        }
        assertThat(alice.in).isEqualTo(ALICE);
        assertThat(bob.in).isEqualTo(BOB);
        assertThat(wrong.in).isNull();
        assertThat(wrong.isOver).isTrue();
    }

    /** A login that goes on message by message. */
    private static final class Turns {
        private final Conversation conversation;
        private final ClientSide client;
        private byte[] challenge = {};
        private String in;
        private boolean isOver;

        Turns(Authenticator authenticator, ClientSide client) {
            this.conversation = authenticator.begin(from());
            this.client = client;
        }

        void next() {
            if (isOver) {
                return;
            }
            try {
                Reply reply = conversation.respond(client.respond(challenge));
                challenge = reply.message();
                if (reply instanceof Authenticated who) {
                    in = who.principal().name();
                    end();
                }
            } catch (FeliceException refused) {
                end();
            }
        }

        private void end() {
            isOver = true;
            conversation.close();
        }
    }

    @Test
    void conversationsAtTheSameTimeDoNotMixUp() throws Exception {
        Authenticator authenticator = authenticator();
        List<Callable<Void>> clients = new ArrayList<>();
        for (String user : List.of(ALICE, BOB, ALICE, BOB)) {
            clients.add(() -> {
                for (int i = 0; i < ATTEMPTS; i++) {
                    assertLetIn(login(authenticator, client(user, user)), user);
                    assertRefused(login(authenticator, client(user, NOBODY)));
                }
                return null;
            });
        }
        AtTheSameTime.run(clients);
    }

    @Test
    void theMessagesOfALoginLetNobodyInAgain() {
        if (!isSafeFromReplay()) {
            return;
        }
        Authenticator authenticator = authenticator();
        List<byte[]> overheard = login(authenticator, client(ALICE, ALICE)).messages();
        List<byte[]> left = new ArrayList<>(overheard);
        assertRefused(login(authenticator, challenge -> left.isEmpty() ? new byte[0] : left.remove(0)));
    }

    @Test
    void malformedMessagesAreRefusedAndCauseNoOtherException() {
        Authenticator authenticator = authenticator();
        byte[] first = client(ALICE, ALICE).respond(new byte[0]);
        List<byte[]> malformed = new ArrayList<>(List.of(
                new byte[0],
                new byte[1],
                new byte[] {0, 0, 0, 0},
                Texts.utf8("n,,"),
                Texts.utf8(",,,,,,"),
                new byte[] {(byte) 0xC3, (byte) 0x28},
                new byte[MOST_BYTES],
                Texts.utf8("a".repeat(MOST_BYTES)),
                Texts.utf8(",a=b".repeat(MOST_BYTES / 4))));
        for (int length = 0; length < first.length; length++) {
            malformed.add(Arrays.copyOf(first, length));
        }
        for (byte[] message : malformed) {
            assertLetsNobodyIn(authenticator, message);
        }
    }

    @Test
    void randomMessagesAreRefusedAndCauseNoOtherException() {
        long seed = Long.getLong("felice.seed", System.nanoTime());
        System.out.println(getClass().getSimpleName() + ": -Dfelice.seed=" + seed);
        Random random = new Random(seed);
        Authenticator authenticator = authenticator();
        byte[] first = client(ALICE, ALICE).respond(new byte[0]);
        for (int i = 0; i < RANDOM_MESSAGES; i++) {
            byte[] message = new byte[random.nextInt(MOST_RANDOM_BYTES)];
            random.nextBytes(message);
            assertLetsNobodyIn(authenticator, message);

            byte[] longer = Arrays.copyOf(first, first.length + 1 + random.nextInt(MOST_RANDOM_BYTES));
            for (int j = first.length; j < longer.length; j++) {
                longer[j] = (byte) random.nextInt();
            }
            assertLetsNobodyIn(authenticator, longer);
        }
    }

    private static void assertLetsNobodyIn(Authenticator authenticator, byte[] message) {
        try (Conversation conversation = authenticator.begin(from())) {
            assertThat(conversation.respond(message))
                    .as("the reply to %s bytes", message.length)
                    .isInstanceOf(Challenge.class);
            assertThat(conversation.respond(message))
                    .as("the reply to the same bytes again")
                    .isInstanceOf(Challenge.class);
        } catch (FeliceException refusal) {
            assertThat(refusal.code()).isEqualTo(ErrorCode.SASL_AUTHENTICATION_FAILED);
        }
    }

    @Test
    void whatTheClientHasShownIsValidNow() {
        Authenticated in = login(authenticator(), client(ALICE, ALICE)).in();
        assertThat(in.validUntil()).isNotNull();
        in.validUntil().ifPresent(end -> assertThat(end).isAfter(Instant.now()));
    }

    @Test
    void aConversationThatIsClosedEarlyHarmsNoOther() {
        Authenticator authenticator = authenticator();
        authenticator.begin(from()).close();
        Turns open = new Turns(authenticator, client(BOB, BOB));
        Conversation left = authenticator.begin(from());
        try {
            left.respond(client(ALICE, ALICE).respond(new byte[0]));
        } finally {
            left.close();
        }
        for (int step = 0; step < MOST_STEPS; step++) {
            open.next();
        }
        assertThat(open.in).isEqualTo(BOB);
    }
}
