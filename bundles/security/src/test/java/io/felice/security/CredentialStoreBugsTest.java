package io.felice.security;

import io.felice.api.security.CredentialStore;
import io.felice.testkit.CredentialStoreBugsContract;
import io.felice.testkit.CredentialStoreContract;
import java.util.Map;
import java.util.function.UnaryOperator;

class CredentialStoreBugsTest extends CredentialStoreBugsContract {
    @Override
    protected CredentialStoreContract contract(UnaryOperator<CredentialStore> mistake) {
        return new FeliceCredentialStoreTest() {
            @Override
            protected CredentialStore store(Map<String, String> users) {
                return mistake.apply(super.store(users));
            }
        };
    }
}
