package io.felice.security;

import io.felice.api.cluster.ClusterMetadata;
import io.felice.api.security.CredentialStore;
import io.felice.api.security.ScramCredential;
import io.felice.api.security.ScramMechanism;
import java.security.SecureRandom;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * The users of the cluster, from the metadata log. A password is compared with the user's SCRAM credential. For a user that
 * there is not, it is compared with a credential that nobody has.
 */
@Component(property = CredentialStore.NAME + "=" + FeliceCredentialStore.STORE)
public final class FeliceCredentialStore implements CredentialStore {
    static final String STORE = "felice";

    private final ClusterMetadata metadata;
    private final byte[] nobodysSalt = ScramKeys.randomSalt(new SecureRandom());
    private volatile Usual usual = Usual.of(Map.of());

    @Activate
    public FeliceCredentialStore(@Reference ClusterMetadata metadata) {
        this.metadata = metadata;
    }

    /** A credential of a user, and its mechanism. */
    private record Kept(ScramMechanism mechanism, ScramCredential credential) {}

    /** Which mechanism and how many iterations most of the users' passwords have. */
    private record Usual(
            Map<String, Map<ScramMechanism, ScramCredential>> users,
            ScramMechanism mechanism,
            Map<ScramMechanism, Integer> iterations) {
        static Usual of(Map<String, Map<ScramMechanism, ScramCredential>> users) {
            Map<ScramMechanism, Map<Integer, Long>> counted = users.values().stream()
                    .flatMap(credentials -> credentials.entrySet().stream())
                    .collect(Collectors.groupingBy(
                            Map.Entry::getKey,
                            Collectors.groupingBy(entry -> entry.getValue().iterations(), Collectors.counting())));
            Map<ScramMechanism, Long> preferred = users.values().stream()
                    .filter(credentials -> !credentials.isEmpty())
                    .collect(Collectors.groupingBy(
                            credentials -> preferred(credentials).mechanism(), Collectors.counting()));
            return new Usual(
                    users,
                    most(preferred).orElse(ScramMechanism.SCRAM_SHA_256),
                    counted.entrySet().stream()
                            .collect(Collectors.toMap(Map.Entry::getKey, entry -> most(entry.getValue())
                                    .orElseThrow())));
        }

        private static <K extends Comparable<K>> Optional<K> most(Map<K, Long> counts) {
            return counts.entrySet().stream()
                    .max(Map.Entry.<K, Long>comparingByValue()
                            .thenComparing(Map.Entry::getKey, Comparator.reverseOrder()))
                    .map(Map.Entry::getKey);
        }

        int iterations(ScramMechanism wanted) {
            return iterations.getOrDefault(wanted, ScramKeys.ITERATIONS);
        }
    }

    private Map<String, Map<ScramMechanism, ScramCredential>> users() {
        return metadata.view().security().users();
    }

    private Usual usual() {
        Usual known = usual;
        Map<String, Map<ScramMechanism, ScramCredential>> users = users();
        if (known.users() != users) {
            known = Usual.of(users);
            usual = known;
        }
        return known;
    }

    /** The iterations that most users have for the mechanism, so that somebody who is no user looks like a user. */
    int usualIterations(ScramMechanism mechanism) {
        return usual().iterations(mechanism);
    }

    @Override
    public boolean hasPassword(String user, byte[] password) {
        // For HMAC a password with a NUL at its end is the same as without it.
        if (password.length == 0 || password[password.length - 1] == 0) {
            return false;
        }
        Map<ScramMechanism, ScramCredential> credentials = users().getOrDefault(user, Map.of());
        boolean isUser = !credentials.isEmpty();
        Kept kept = isUser ? preferred(credentials) : nobody();
        return ScramKeys.isMadeOf(kept.mechanism(), kept.credential(), password) && isUser;
    }

    private static Kept preferred(Map<ScramMechanism, ScramCredential> credentials) {
        ScramMechanism mechanism = credentials.containsKey(ScramMechanism.SCRAM_SHA_256)
                ? ScramMechanism.SCRAM_SHA_256
                : ScramMechanism.SCRAM_SHA_512;
        return new Kept(mechanism, credentials.get(mechanism));
    }

    private Kept nobody() {
        Usual now = usual();
        byte[] noKey = new byte[ScramKeys.keyBytes(now.mechanism())];
        return new Kept(
                now.mechanism(), new ScramCredential(nobodysSalt, noKey, noKey, now.iterations(now.mechanism())));
    }

    @Override
    public Optional<ScramCredential> scram(String user, ScramMechanism mechanism) {
        return Optional.ofNullable(users().getOrDefault(user, Map.of()).get(mechanism));
    }
}
