package io.felice.security;

import io.felice.api.cluster.MetadataRecord;
import io.felice.api.security.CredentialStore;
import io.felice.api.security.ScramMechanism;
import io.felice.testkit.CredentialStoreContract;
import java.security.SecureRandom;
import java.util.Map;

class FeliceCredentialStoreTest extends CredentialStoreContract {
    private final SecureRandom random = new SecureRandom();

    @Override
    protected CredentialStore store(Map<String, String> users) {
        Fakes.Metadata metadata = new Fakes.Metadata();
        users.forEach((user, password) -> {
            for (ScramMechanism mechanism : ScramMechanism.values()) {
                metadata.add(new MetadataRecord.CredentialSet(
                        user,
                        mechanism,
                        ScramKeys.credential(
                                mechanism,
                                Fakes.utf8(password),
                                ScramKeys.randomSalt(random),
                                ScramMechanism.LEAST_ITERATIONS)));
            }
        });
        return new FeliceCredentialStore(metadata);
    }
}
