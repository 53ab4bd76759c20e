package io.felice.testkit;

import io.felice.api.ErrorCode;
import io.felice.api.FeliceException;
import io.felice.api.security.Authenticator;
import io.felice.api.security.Principal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Shows that {@link AuthenticatorContract} catches wrong authenticators. A subclass makes the contract of a good one. */
public abstract class AuthenticatorBugsContract extends PluginBugsContract<Authenticator, AuthenticatorContract> {
    private static final int LEAST_BUGS = 12;
    private static final byte[] NOTHING = {};
    private static final int LONG_MESSAGE_BYTES = 100_000;
    private static final int MANY = 10;

    protected AuthenticatorBugsContract() {
        super(AuthenticatorContract.class, LEAST_BUGS);
    }

    private static Authenticator.Authenticated in(String user) {
        return new Authenticator.Authenticated(NOTHING, Principal.user(user), Optional.empty());
    }

    /** Changes each reply. */
    private static PluginBug<Authenticator> ofReplies(
            String name, String caughtBy, Supplier<Function<Authenticator.Reply, Authenticator.Reply>> mistake) {
        return new PluginBug<>(name, caughtBy, good -> {
            Function<Authenticator.Reply, Authenticator.Reply> change = mistake.get();
            return client -> {
                Authenticator.Conversation right = good.begin(client);
                return message -> change.apply(right.respond(message));
            };
        });
    }

    /** Changes the reply to who is let in. */
    private static PluginBug<Authenticator> ofSuccess(
            String name,
            String caughtBy,
            Supplier<Function<Authenticator.Authenticated, Authenticator.Reply>> mistake) {
        return ofReplies(name, caughtBy, () -> {
            Function<Authenticator.Authenticated, Authenticator.Reply> change = mistake.get();
            return reply -> reply instanceof Authenticator.Authenticated who ? change.apply(who) : reply;
        });
    }

    /** Answers instead of a refusal. */
    private static PluginBug<Authenticator> ofRefusals(
            String name, String caughtBy, Supplier<Function<FeliceException, Authenticator.Reply>> mistake) {
        return new PluginBug<>(name, caughtBy, good -> {
            Function<FeliceException, Authenticator.Reply> instead = mistake.get();
            return client -> {
                Authenticator.Conversation right = good.begin(client);
                return message -> {
                    try {
                        return right.respond(message);
                    } catch (FeliceException refusal) {
                        return instead.apply(refusal);
                    }
                };
            };
        });
    }

    /** Looks at each message before the good authenticator gets it. */
    private static PluginBug<Authenticator> ofMessages(String name, String caughtBy, Function<byte[], byte[]> mistake) {
        return new PluginBug<>(name, caughtBy, good -> client -> {
            Authenticator.Conversation right = good.begin(client);
            return message -> right.respond(mistake.apply(message));
        });
    }

    @Override
    List<PluginBug<Authenticator>> bugs() {
        List<PluginBug<Authenticator>> bugs = new ArrayList<>(ofWhoIsLetIn());
        bugs.addAll(ofWhoIsRefused());
        bugs.addAll(ofState());
        if (contract(UnaryOperator.identity()).isSafeFromReplay()) {
            bugs.add(replay());
        }
        return bugs;
    }

    private static List<PluginBug<Authenticator>> ofWhoIsLetIn() {
        return List.of(
                ofSuccess(
                        "changes the case of the user",
                        "whoHasTheSecretIsLetInAsHimself",
                        () -> who -> in(who.principal().name().toUpperCase(Locale.ROOT))),
                ofSuccess("everybody is the same user", "whoHasTheSecretIsLetInAsHimself", () -> who -> in("alice")),
                ofSuccess("remembers the first user", "whoHasTheSecretIsLetInAsHimself", () -> {
                    List<String> users = new ArrayList<>();
                    return who -> {
                        users.add(who.principal().name());
                        return in(users.get(0));
                    };
                }),
                ofSuccess(
                        "lets in with what has expired",
                        "whatTheClientHasShownIsValidNow",
                        () -> who -> new Authenticator.Authenticated(
                                who.message(),
                                who.principal(),
                                Optional.of(Instant.now().minusSeconds(1)))));
    }

    private static List<PluginBug<Authenticator>> ofWhoIsRefused() {
        return List.of(
                ofRefusals("lets in on an error", "whoHasAnotherSecretIsRefused", () -> refusal -> in("alice")),
                ofRefusals("answers null instead of a refusal", "whoHasAnotherSecretIsRefused", () -> refusal -> null),
                ofRefusals("refuses with another error", "whoHasAnotherSecretIsRefused", () -> refusal -> {
                    throw ErrorCode.UNKNOWN_SERVER_ERROR.because("refused");
                }),
                ofRefusals("refuses without a sentence", "whoHasAnotherSecretIsRefused", () -> refusal -> {
                    throw ErrorCode.SASL_AUTHENTICATION_FAILED.because("");
                }),
                ofRefusals("gives up after many attempts", "manyAttemptsLetNobodyIn", () -> {
                    AtomicInteger attempts = new AtomicInteger();
                    return refusal -> {
                        if (attempts.incrementAndGet() > MANY) {
                            return in("alice");
                        }
                        throw refusal;
                    };
                }),
                new PluginBug<>("lets in who is no user", "aUserThatThereIsNotIsRefused", good -> client -> {
                    Authenticator.Conversation right = good.begin(client);
                    return message -> Texts.of(message).contains(AuthenticatorContract.NOBODY)
                            ? in(AuthenticatorContract.NOBODY)
                            : right.respond(message);
                }),
                new PluginBug<>(
                        "says which users there are", "aRefusalDoesNotSayWhichUsersThereAre", good -> client -> {
                            Authenticator.Conversation right = good.begin(client);
                            return message -> {
                                if (Texts.of(message).contains(AuthenticatorContract.NOBODY)) {
                                    throw ErrorCode.SASL_AUTHENTICATION_FAILED.because("There is no such user");
                                }
                                return right.respond(message);
                            };
                        }),
                ofMessages(
                        "fails for an empty message",
                        "malformedMessagesAreRefusedAndCauseNoOtherException",
                        message -> message[0] == 'y' ? NOTHING : message),
                ofMessages(
                        "has no stack for a long message",
                        "malformedMessagesAreRefusedAndCauseNoOtherException",
                        message -> {
                            if (message.length > LONG_MESSAGE_BYTES) {
                                throw new StackOverflowError("a message of " + message.length + " bytes");
                            }
                            return message;
                        }),
                ofMessages(
                        "fails for text that is not ASCII",
                        "randomMessagesAreRefusedAndCauseNoOtherException",
                        message -> {
                            for (byte each : message) {
                                if (each < 0) {
                                    throw new IllegalArgumentException("not ASCII");
                                }
                            }
                            return message;
                        }));
    }

    private static List<PluginBug<Authenticator>> ofState() {
        return List.of(
                new PluginBug<>("keeps a user over a new login", "aLoginKeepsNothingOfTheOneBefore", good -> {
                    List<Authenticator.Reply> last = new ArrayList<>();
                    return client -> {
                        Authenticator.Conversation right = good.begin(client);
                        return message -> {
                            if (!last.isEmpty()) {
                                return last.get(0);
                            }
                            Authenticator.Reply reply = right.respond(message);
                            if (reply instanceof Authenticator.Authenticated) {
                                last.add(reply);
                            }
                            return reply;
                        };
                    };
                }),
                new PluginBug<>("conversations share their state", "conversationsThatTakeTurnsDoNotMixUp", good -> {
                    List<byte[]> messages = new ArrayList<>();
                    return client -> {
                        Authenticator.Conversation right = good.begin(client);
                        return message -> {
                            messages.add(message);
                            return right.respond(messages.get(Math.max(0, messages.size() - 2)));
                        };
                    };
                }),
                new PluginBug<>("the message is in a field", "conversationsAtTheSameTimeDoNotMixUp", good -> {
                    byte[][] field = new byte[1][];
                    return client -> {
                        Authenticator.Conversation right = good.begin(client);
                        return message -> {
                            field[0] = message;
                            Texts.pause();
                            return right.respond(field[0]);
                        };
                    };
                }),
                new PluginBug<>(
                        "a closed conversation closes all", "aConversationThatIsClosedEarlyHarmsNoOther", good -> {
                            AtomicInteger closed = new AtomicInteger();
                            return client -> new Authenticator.Conversation() {
                                private final Authenticator.Conversation right = good.begin(client);

                                @Override
                                public Authenticator.Reply respond(byte[] message) {
                                    if (closed.get() > 1) {
                                        throw ErrorCode.SASL_AUTHENTICATION_FAILED.because("closed");
                                    }
                                    return right.respond(message);
                                }

                                @Override
                                public void close() {
                                    closed.incrementAndGet();
                                    right.close();
                                }
                            };
                        }));
    }

    /** The mistake of a mechanism that is safe from replay: it lets in who sends what somebody has sent before. */
    private static PluginBug<Authenticator> replay() {
        return new PluginBug<>("lets in who repeats a login", "theMessagesOfALoginLetNobodyInAgain", good -> {
            ConcurrentHashMap<String, Authenticator.Reply> letIn = new ConcurrentHashMap<>();
            return client -> {
                Authenticator.Conversation right = good.begin(client);
                return message -> {
                    Authenticator.Reply known = letIn.get(Arrays.toString(message));
                    if (known != null) {
                        return known;
                    }
                    Authenticator.Reply reply = right.respond(message);
                    if (reply instanceof Authenticator.Authenticated) {
                        letIn.put(Arrays.toString(message), reply);
                    }
                    return reply;
                };
            };
        });
    }
}
