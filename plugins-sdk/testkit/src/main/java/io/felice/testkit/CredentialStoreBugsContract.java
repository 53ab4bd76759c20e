package io.felice.testkit;

import io.felice.api.security.CredentialStore;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** Shows that {@link CredentialStoreContract} catches wrong stores. A subclass makes the contract of a good store with SCRAM. */
public abstract class CredentialStoreBugsContract extends PluginBugsContract<CredentialStore, CredentialStoreContract> {
    private static final int LEAST_BUGS = 14;

    protected CredentialStoreBugsContract() {
        super(CredentialStoreContract.class, LEAST_BUGS);
    }

    /** A good store, of which a mistake changes something. */
    private abstract static class Wrong implements CredentialStore {
        final CredentialStore good;

        Wrong(CredentialStore good) {
            this.good = good;
        }

        @Override
        public boolean hasPassword(String user, byte[] password) {
            return good.hasPassword(user, password);
        }

        @Override
        public Optional<ScramCredential> scram(String user, ScramMechanism mechanism) {
            return good.scram(user, mechanism);
        }
    }

    private static byte[] changed(byte[] bytes) {
        byte[] changed = bytes.clone();
        changed[0] ^= 1;
        return changed;
    }

    @Override
    List<PluginBug<CredentialStore>> bugs() {
        return List.of(
                new PluginBug<>("accepts an empty password", "anEmptyPasswordIsNeverRight", good -> new Wrong(good) {
                    @Override
                    public boolean hasPassword(String user, byte[] password) {
                        return password.length == 0 || good.hasPassword(user, password);
                    }
                }),
                new PluginBug<>("compares the password by prefix", "anotherPasswordIsWrong", good -> new Wrong(good) {
                    @Override
                    public boolean hasPassword(String user, byte[] password) {
                        for (int length = 1; length <= password.length; length++) {
                            if (good.hasPassword(user, Arrays.copyOf(password, length))) {
                                return true;
                            }
                        }
                        return false;
                    }
                }),
                new PluginBug<>("trims the password", "anotherPasswordIsWrong", good -> new Wrong(good) {
                    @Override
                    public boolean hasPassword(String user, byte[] password) {
                        return good.hasPassword(
                                user, Texts.utf8(Texts.of(password).trim()));
                    }
                }),
                new PluginBug<>("ignores the case of the password", "anotherPasswordIsWrong", good -> new Wrong(good) {
                    @Override
                    public boolean hasPassword(String user, byte[] password) {
                        return good.hasPassword(user, password)
                                || good.hasPassword(
                                        user, Texts.utf8(Texts.of(password).toLowerCase(Locale.ROOT)));
                    }
                }),
                new PluginBug<>("ignores the case of the user", "namesAreComparedExactly", good -> new Wrong(good) {
                    @Override
                    public boolean hasPassword(String user, byte[] password) {
                        return good.hasPassword(user, password)
                                || good.hasPassword(user.toLowerCase(Locale.ROOT), password);
                    }
                }),
                new PluginBug<>("trims the user", "namesAreComparedExactly", good -> new Wrong(good) {
                    @Override
                    public boolean hasPassword(String user, byte[] password) {
                        return good.hasPassword(user.trim(), password);
                    }
                }),
                new PluginBug<>("normalizes the user", "namesAreComparedExactly", good -> new Wrong(good) {
                    @Override
                    public boolean hasPassword(String user, byte[] password) {
                        return good.hasPassword(
                                java.text.Normalizer.normalize(user, java.text.Normalizer.Form.NFC), password);
                    }
                }),
                new PluginBug<>("accepts the password of any user", "anotherPasswordIsWrong", good -> new Wrong(good) {
                    @Override
                    public boolean hasPassword(String user, byte[] password) {
                        return good.hasPassword(user, password) || good.hasPassword("bob", password);
                    }
                }),
                new PluginBug<>("lets in who is no user", "aUserThatThereIsNotHasNoPassword", good -> new Wrong(good) {
                    @Override
                    public boolean hasPassword(String user, byte[] password) {
                        return user.equals("nobody") || good.hasPassword(user, password);
                    }
                }),
                new PluginBug<>("throws for a strange name", "strangeNamesDoNoHarm", good -> new Wrong(good) {
                    @Override
                    public boolean hasPassword(String user, byte[] password) {
                        return good.hasPassword(
                                java.nio.file.Path.of(user).getFileName().toString(), password);
                    }
                }),
                new PluginBug<>("remembers the user who was right", "anAnswerIsAboutThisCall", good -> new Wrong(good) {
                    private final Set<String> right = new HashSet<>();

                    @Override
                    public boolean hasPassword(String user, byte[] password) {
                        if (good.hasPassword(user, password)) {
                            right.add(user);
                        }
                        return right.contains(user);
                    }
                }),
                new PluginBug<>(
                        "gives up after many attempts", "manyWrongPasswordsMakeNoneRight", good -> new Wrong(good) {
                            private final AtomicInteger attempts = new AtomicInteger();

                            @Override
                            public boolean hasPassword(String user, byte[] password) {
                                return good.hasPassword(user, password) || attempts.incrementAndGet() > 15;
                            }
                        }),
                new PluginBug<>(
                        "keeps the caller's array", "thePasswordIsNotKeptAfterTheCall", good -> new Wrong(good) {
                            private final Map<String, byte[]> last = new HashMap<>();

                            @Override
                            public boolean hasPassword(String user, byte[] password) {
                                byte[] known = last.get(user);
                                boolean isRight = known != null && Arrays.equals(known, password)
                                        || good.hasPassword(user, password);
                                if (isRight) {
                                    last.put(user, password);
                                }
                                return isRight;
                            }
                        }),
                new PluginBug<>("keeps the user in a field", "callsAtTheSameTimeDoNotMixUp", good -> new Wrong(good) {
                    private volatile String current;

                    @Override
                    public boolean hasPassword(String user, byte[] password) {
                        current = user;
                        Texts.pause();
                        return good.hasPassword(current, password);
                    }
                }),
                new PluginBug<>(
                        "answers at once for who is no user",
                        "aUserThatThereIsNotTakesAsLongAsAWrongPassword",
                        good -> new Wrong(good) {
                            @Override
                            public boolean hasPassword(String user, byte[] password) {
                                return !user.equals("nobody") && good.hasPassword(user, password);
                            }
                        }),
                new PluginBug<>(
                        "gives a credential to who is no user",
                        "whoIsNoUserHasNoScramCredential",
                        good -> new Wrong(good) {
                            @Override
                            public Optional<ScramCredential> scram(String user, ScramMechanism mechanism) {
                                return good.scram(user, mechanism).or(() -> good.scram("alice", mechanism));
                            }
                        }),
                new PluginBug<>(
                        "a credential of another password",
                        "theScramCredentialOfAUserIsMadeOfThePassword",
                        good -> new Wrong(good) {
                            @Override
                            public Optional<ScramCredential> scram(String user, ScramMechanism mechanism) {
                                return good.scram(user, mechanism)
                                        .map(right -> new ScramCredential(
                                                right.salt(),
                                                right.storedKey(),
                                                changed(right.serverKey()),
                                                right.iterations()));
                            }
                        }),
                new PluginBug<>("the same salt for all", "theScramCredentialIsWorthTheName", good -> new Wrong(good) {
                    @Override
                    public Optional<ScramCredential> scram(String user, ScramMechanism mechanism) {
                        return good.scram("alice", mechanism);
                    }
                }),
                new PluginBug<>("few iterations", "theScramCredentialIsWorthTheName", good -> new Wrong(good) {
                    @Override
                    public Optional<ScramCredential> scram(String user, ScramMechanism mechanism) {
                        return good.scram(user, mechanism)
                                .map(right ->
                                        new ScramCredential(right.salt(), right.storedKey(), right.serverKey(), 1_000));
                    }
                }));
    }
}
