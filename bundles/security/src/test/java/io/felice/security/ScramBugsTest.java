package io.felice.security;

import io.felice.api.security.Authenticator;
import io.felice.testkit.AuthenticatorBugsContract;
import io.felice.testkit.AuthenticatorContract;
import java.util.function.UnaryOperator;

class ScramBugsTest extends AuthenticatorBugsContract {
    @Override
    protected AuthenticatorContract contract(UnaryOperator<Authenticator> mistake) {
        return new ScramContractTest() {
            @Override
            protected Authenticator authenticator() {
                return mistake.apply(super.authenticator());
            }
        };
    }
}
