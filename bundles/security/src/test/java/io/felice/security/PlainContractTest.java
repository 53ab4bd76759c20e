package io.felice.security;

import static io.felice.security.Fakes.utf8;

import io.felice.api.security.Authenticator;
import io.felice.api.security.CredentialStore;
import io.felice.testkit.AuthenticatorContract;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;

class PlainContractTest extends AuthenticatorContract {
    private final List<CredentialStores> open = new ArrayList<>();

    @AfterEach
    void close() {
        open.forEach(CredentialStores::close);
    }

    /** The built-in store, with the users of the contract. */
    CredentialStores stores() {
        Fakes.Metadata metadata = new Fakes.Metadata();
        metadata.addUser(ALICE, secret(ALICE));
        metadata.addUser(BOB, secret(BOB));
        CredentialStores stores = new CredentialStores(Fakes.settings(Map.of("plugin_timeout_ms", 60_000)));
        Fakes.bindStore(stores, new FeliceCredentialStore(metadata), Map.of(CredentialStore.NAME, "felice"));
        open.add(stores);
        return stores;
    }

    static String secret(String user) {
        return switch (user) {
            case ALICE -> "wonderland";
            case BOB -> "builder";
            default -> "guessed";
        };
    }

    @Override
    protected Authenticator authenticator() {
        return new PlainAuthenticator(stores());
    }

    @Override
    protected ClientSide client(String user, String secretOf) {
        return challenge -> utf8("\0" + user + "\0" + secret(secretOf));
    }

    @Override
    protected boolean isSafeFromReplay() {
        return false;
    }
}
