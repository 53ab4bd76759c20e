package io.felice.testkit;

import io.felice.api.security.Principal;
import io.felice.api.security.PrincipalMapping;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** The mistakes are put into a mapping of two names. */
class PrincipalMappingBugsTest extends PrincipalMappingBugsContract {
    private static final String ALICE = "CN=alice,O=Example";
    private static final String BOB = "CN=bob,O=Example";
    private static final Map<String, Principal> USERS =
            Map.of(ALICE, Principal.user("alice"), BOB, Principal.user("bob"));

    private static Principal principalOf(List<X509Certificate> chain) {
        String name = chain.get(0).getSubjectX500Principal().getName();
        return Optional.ofNullable(USERS.get(name)).orElseThrow(() -> new SecurityException("unknown: " + name));
    }

    @Override
    protected PrincipalMappingContract contract(UnaryOperator<PrincipalMapping> mistake) {
        return new PrincipalMappingContract() {
            @Override
            protected PrincipalMapping mapping() {
                return mistake.apply(PrincipalMappingBugsTest::principalOf);
            }

            @Override
            protected List<Known> known() {
                return List.of(
                        new Known(new NamedCertificate(ALICE), Principal.user("alice")),
                        new Known(new NamedCertificate(BOB), Principal.user("bob")));
            }

            @Override
            protected List<X509Certificate> refused() {
                return List.of(new NamedCertificate("CN=mallory,O=Example"));
            }
        };
    }
}
