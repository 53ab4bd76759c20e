package ${package};

import static java.nio.charset.StandardCharsets.UTF_8;

import io.felice.api.security.CredentialStore;
import io.felice.testkit.CredentialStoreContract;
import io.felice.testkit.TestSettings;
import java.util.HexFormat;
import java.util.Map;

class SettingsUsersTest extends CredentialStoreContract {
    @Override
    protected CredentialStore store(Map<String, String> users) {
        String[] lines = users.entrySet().stream()
                .map(user -> user.getKey() + ":" + hash(user.getKey(), user.getValue()))
                .toArray(String[]::new);
        return new SettingsUsers(TestSettings.of(SettingsUsers.Config.class, Map.of("users", lines)));
    }

    private static String hash(String user, String password) {
        return HexFormat.of().formatHex(SettingsUsers.hash(user, password.getBytes(UTF_8)));
    }
}
