package io.felice.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.felice.api.security.Principal;
import io.felice.api.security.PrincipalMapping;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/**
 * The tests that every mapping of certificates to principals must pass. Each test checks a promise of {@link
 * PrincipalMapping}. A subclass makes the mapping, and says who is who; {@link NamedCertificate} makes certificates.
 */
public abstract class PrincipalMappingContract {
    private static final int ROUNDS = 50;

    /** A client: its certificate, and who it is. */
    public record Known(X509Certificate certificate, Principal principal) {}

    /** A fresh mapping. */
    protected abstract PrincipalMapping mapping();

    /** Clients that the mapping knows; at least two, with different principals. */
    protected abstract List<Known> known();

    /** Certificates that the mapping has to refuse; at least one. */
    protected abstract List<X509Certificate> refused();

    /** Empty if the mapping refuses the client. */
    private static Optional<Principal> ask(PrincipalMapping mapping, List<X509Certificate> chain) {
        Principal principal;
        try {
            principal = mapping.principalOf(chain);
        } catch (RuntimeException refusal) {
            return Optional.empty();
        }
        assertThat(principal).as("the principal of " + chain).isNotNull();
        return Optional.of(principal);
    }

    private static Optional<Principal> ask(PrincipalMapping mapping, X509Certificate certificate) {
        return ask(mapping, List.of(certificate));
    }

    @Test
    void knownClientsHaveTheirPrincipals() {
        PrincipalMapping mapping = mapping();
        assertThat(known().stream().map(Known::principal).distinct()).hasSizeGreaterThan(1);
        for (Known client : known()) {
            assertThat(ask(mapping, client.certificate()))
                    .as(client.certificate().toString())
                    .contains(client.principal());
        }
    }

    @Test
    void otherClientsAreRefused() {
        PrincipalMapping mapping = mapping();
        assertThat(refused()).isNotEmpty();
        refused().forEach(certificate -> assertThat(ask(mapping, certificate))
                .as(certificate.toString())
                .isEmpty());
    }

    @Test
    void aClientIsWhoItsOwnCertificateSaysNotWhoHasSignedIt() {
        PrincipalMapping mapping = mapping();
        for (Known client : known()) {
            for (Known signer : known()) {
                assertThat(ask(mapping, List.of(client.certificate(), signer.certificate())))
                        .contains(client.principal());
            }
        }
        for (X509Certificate unknown : refused()) {
            assertThat(ask(mapping, List.of(unknown, known().get(0).certificate())))
                    .isEmpty();
        }
    }

    /** Who can choose a part of a name must not become somebody else. */
    @Test
    void aSimilarNameIsSomebodyElse() {
        PrincipalMapping mapping = mapping();
        for (Known client : known()) {
            String name = client.certificate().getSubjectX500Principal().getName();
            for (String similar : List.of(
                    name.replaceFirst("=([^,]*)", "=$12"),
                    name.replaceFirst("=([^,]*)", "=2$1"),
                    "CN=mallory,OU=\"" + name.replace("\"", "\\\"") + "\"",
                    "OU=\"x," + name.replace("\"", "\\\"") + "\"")) {
                assertThat(ask(mapping, new NamedCertificate(similar)))
                        .as(similar)
                        .isNotEqualTo(Optional.of(client.principal()));
            }
        }
    }

    @Test
    void theCaseOfANameMatters() {
        PrincipalMapping mapping = mapping();
        for (Known client : known()) {
            X509Certificate shouting = new NamedCertificate(
                    client.certificate().getSubjectX500Principal().getName().toUpperCase(Locale.ROOT));
            assertThat(ask(mapping, shouting)).isNotEqualTo(Optional.of(client.principal()));
        }
    }

    @Test
    void aClientWithoutANameIsRefused() {
        assertThat(ask(mapping(), new NamedCertificate(""))).isEmpty();
    }

    @Test
    void nobodyWithACertificateIsAnonymousOrHasABlankName() {
        PrincipalMapping mapping = mapping();
        List<X509Certificate> all = new ArrayList<>(refused());
        known().forEach(client -> all.add(client.certificate()));
        all.add(new NamedCertificate("CN=ANONYMOUS"));
        for (X509Certificate certificate : all) {
            ask(mapping, certificate).ifPresent(principal -> {
                assertThat(principal).isNotEqualTo(Principal.ANONYMOUS);
                assertThat(principal.name()).isNotBlank().matches("\\P{Cntrl}*");
            });
        }
    }

    @Test
    void anAnswerIsAboutThisClient() {
        PrincipalMapping mapping = mapping();
        for (int i = 0; i < 3; i++) {
            knownClientsAreThemselves(mapping);
            refused().forEach(certificate -> assertThat(ask(mapping, certificate))
                    .as(certificate.toString())
                    .isEmpty());
        }
    }

    private void knownClientsAreThemselves(PrincipalMapping mapping) {
        known().forEach(client -> assertThat(ask(mapping, client.certificate())).contains(client.principal()));
    }

    @Test
    void clientsAtTheSameTimeDoNotMixUp() throws Exception {
        PrincipalMapping mapping = mapping();
        List<Callable<Void>> askers = new ArrayList<>();
        for (Known client : known()) {
            askers.add(() -> {
                for (int i = 0; i < ROUNDS; i++) {
                    assertThat(ask(mapping, client.certificate())).contains(client.principal());
                }
                return null;
            });
        }
        AtTheSameTime.run(askers);
    }
}
