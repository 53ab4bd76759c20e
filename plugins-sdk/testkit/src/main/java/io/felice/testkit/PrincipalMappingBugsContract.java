package io.felice.testkit;

import io.felice.api.security.Principal;
import io.felice.api.security.PrincipalMapping;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Shows that {@link PrincipalMappingContract} catches wrong mappings. A subclass makes the contract of a mapping that knows
 * {@code CN=alice,O=Example} as {@code User:alice} and {@code CN=bob,O=Example} as {@code User:bob}.
 */
public abstract class PrincipalMappingBugsContract
        extends PluginBugsContract<PrincipalMapping, PrincipalMappingContract> {
    private static final int LEAST_BUGS = 12;
    private static final Principal ALICE = Principal.user("alice");

    protected PrincipalMappingBugsContract() {
        super(PrincipalMappingContract.class, LEAST_BUGS);
    }

    private static String name(List<X509Certificate> chain) {
        return chain.get(0).getSubjectX500Principal().getName();
    }

    /** A mapping that does something else with those that the good one refuses. */
    private static PluginBug<PrincipalMapping> ofRefusing(
            String name, String caughtBy, Function<List<X509Certificate>, Principal> mistake) {
        return new PluginBug<>(name, caughtBy, good -> chain -> {
            try {
                return good.principalOf(chain);
            } catch (RuntimeException refused) {
                Principal instead = mistake.apply(chain);
                if (instead == null && !caughtBy.equals("otherClientsAreRefused")) {
                    throw refused;
                }
                return instead;
            }
        });
    }

    private static PluginBug<PrincipalMapping> ofNames(String name, String caughtBy, UnaryOperator<String> mistake) {
        return new PluginBug<>(
                name,
                caughtBy,
                good -> chain -> good.principalOf(List.of(new NamedCertificate(mistake.apply(name(chain))))));
    }

    @Override
    List<PluginBug<PrincipalMapping>> bugs() {
        List<PluginBug<PrincipalMapping>> bugs = new java.util.ArrayList<>(ofComparing());
        bugs.addAll(ofState());
        return bugs;
    }

    private static List<PluginBug<PrincipalMapping>> ofComparing() {
        String alice = "CN=alice,O=Example";
        return List.of(
                ofRefusing("answers null for who is unknown", "otherClientsAreRefused", chain -> null),
                ofRefusing("lets everybody in as a guest", "otherClientsAreRefused", chain -> Principal.user("guest")),
                ofRefusing(
                        "lets who is unknown be anonymous",
                        "nobodyWithACertificateIsAnonymousOrHasABlankName",
                        chain -> Principal.ANONYMOUS),
                ofRefusing(
                        "takes the whole name of who is unknown, even an empty one",
                        "aClientWithoutANameIsRefused",
                        chain -> Principal.user(name(chain).isEmpty() ? "unnamed" : name(chain))),
                ofRefusing(
                        "finds a name within a name",
                        "aSimilarNameIsSomebodyElse",
                        chain -> name(chain).contains("alice") ? ALICE : null),
                ofNames(
                        "ignores what follows a name",
                        "aSimilarNameIsSomebodyElse",
                        name -> name.startsWith("CN=alice") ? alice : name),
                ofNames(
                        "ignores what precedes a name",
                        "aSimilarNameIsSomebodyElse",
                        name -> name.matches("CN=[^,]*alice,.*") ? alice : name),
                ofNames(
                        "ignores the case",
                        "theCaseOfANameMatters",
                        name -> name.equalsIgnoreCase(alice) ? alice : name),
                new PluginBug<>(
                        "asks who has signed",
                        "aClientIsWhoItsOwnCertificateSaysNotWhoHasSignedIt",
                        good -> chain -> good.principalOf(List.of(chain.get(chain.size() - 1)))),
                new PluginBug<>(
                        "knows the client by any certificate of the chain",
                        "aClientIsWhoItsOwnCertificateSaysNotWhoHasSignedIt",
                        good -> chain -> {
                            for (X509Certificate certificate : chain) {
                                try {
                                    return good.principalOf(List.of(certificate));
                                } catch (RuntimeException refused) {
                                    Texts.pause();
                                }
                            }
                            throw new SecurityException("nobody");
                        }));
    }

    private static List<PluginBug<PrincipalMapping>> ofState() {
        return List.of(
                new PluginBug<>("remembers the first client", "anAnswerIsAboutThisClient", good -> {
                    Map<String, Principal> known = new ConcurrentHashMap<>();
                    return chain -> known.computeIfAbsent("", first -> good.principalOf(chain));
                }),
                new PluginBug<>("keeps the chain in a field", "clientsAtTheSameTimeDoNotMixUp", good -> {
                    List<?>[] field = new List<?>[1];
                    return chain -> {
                        field[0] = chain;
                        Texts.pause();
                        return good.principalOf(List.of((X509Certificate) field[0].get(0)));
                    };
                }),
                new PluginBug<>("remembers clients by their organisation", "knownClientsHaveTheirPrincipals", good -> {
                    Map<String, Principal> known = new ConcurrentHashMap<>();
                    return chain -> known.computeIfAbsent(
                            name(chain).replaceFirst("[^,]*", ""), organisation -> good.principalOf(chain));
                }));
    }
}
