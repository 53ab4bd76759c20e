package io.felice.security;

import io.felice.api.security.Authenticator;
import org.apache.kafka.common.security.scram.internals.ScramMechanism;

class Scram512ContractTest extends ScramContractTest {
    @Override
    protected Authenticator authenticator() {
        return new ScramSha512Authenticator(stores());
    }

    @Override
    ScramMechanism mechanism() {
        return ScramMechanism.SCRAM_SHA_512;
    }
}
