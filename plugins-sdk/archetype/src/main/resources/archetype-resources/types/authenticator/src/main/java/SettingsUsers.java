package ${package};

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.security.CredentialStore;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The users of PLAIN, from the settings. The hash is for long random passwords; those of people need PBKDF2. */
@Component(property = CredentialStore.NAME + "=${artifactId}", configurationPid = "${package}")
@Designate(ocd = SettingsUsers.Config.class)
public final class SettingsUsers implements CredentialStore {
    @ObjectClassDefinition(name = "${artifactId}", description = "Who may log in.")
    public @interface Config {
        @AttributeDefinition(description = "NAME:HASH of each user, with commas between; the hash is SHA-256 of NAME:PASSWORD.")
        String[] users() default {};
    }

    private final Map<String, byte[]> hashes = new HashMap<>();

    @Activate
    public SettingsUsers(Config config) {
        for (String user : config.users()) {
            int colon = user.lastIndexOf(':');
            hashes.put(user.substring(0, colon), HexFormat.of().parseHex(user.substring(colon + 1)));
        }
    }

    @Override
    public boolean hasPassword(String user, byte[] password) {
        byte[] hash = hash(user, password);
        return password.length > 0 && MessageDigest.isEqual(hash, hashes.getOrDefault(user, new byte[hash.length]));
    }

    static byte[] hash(String user, byte[] password) {
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            sha256.update((user + ":").getBytes(UTF_8));
            return sha256.digest(password);
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
