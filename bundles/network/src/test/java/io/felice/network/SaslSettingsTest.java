package io.felice.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SaslSettingsTest {
    private static final List<Listener> LISTENERS = List.of(
            new Listener("INSIDE", "SASL_PLAINTEXT", "", 1, "", 0, Listener.KAFKA),
            new Listener("OUTSIDE", "SASL_SSL", "", 2, "", 0, Listener.KAFKA),
            new Listener("OPEN", "PLAINTEXT", "", 3, "", 0, Listener.KAFKA));

    @Test
    void everyListenerWithSaslHasTheMechanismsInTheirOrder() {
        SaslSettings settings = settings("SCRAM-SHA-512, PLAIN,PLAIN", "");

        assertThat(settings.mechanismsOf("INSIDE")).containsExactly("SCRAM-SHA-512", "PLAIN");
        assertThat(settings.mechanismsOf("OUTSIDE")).containsExactly("SCRAM-SHA-512", "PLAIN");
        assertThat(settings.mechanismsOf("OPEN")).isEmpty();
    }

    @Test
    void aListenerMayHaveItsOwnMechanisms() {
        SaslSettings settings = settings("PLAIN", "outside : OAUTHBEARER + SCRAM-SHA-256");

        assertThat(settings.mechanismsOf("INSIDE")).containsExactly("PLAIN");
        assertThat(settings.mechanismsOf("OUTSIDE")).containsExactly("OAUTHBEARER", "SCRAM-SHA-256");
        assertThat(settings("", "INSIDE:PLAIN,OUTSIDE:PLAIN").mechanismsOf("INSIDE"))
                .containsExactly("PLAIN");
    }

    @Test
    void mistakesAreReportedInOneSentence() {
        assertThatThrownBy(() -> settings("", "INSIDE:PLAIN"))
                .hasMessage("listener OUTSIDE is SASL_SSL, but sasl.enabled.mechanisms names no mechanism, so nobody"
                        + " could log in");
        assertThatThrownBy(() -> settings("plain", ""))
                .hasMessageStartingWith("sasl.enabled.mechanisms: \"plain\" is no name of a mechanism");
        assertThatThrownBy(() -> settings("PLAIN", "INSIDE"))
                .hasMessageStartingWith("listener.sasl.mechanisms.map: \"INSIDE\" is not");
        assertThatThrownBy(() -> settings("PLAIN", "NOWHERE:PLAIN"))
                .hasMessage("listener.sasl.mechanisms.map: there is no listener NOWHERE");
        assertThatThrownBy(() -> settings("PLAIN", "OPEN:PLAIN"))
                .hasMessage("listener.sasl.mechanisms.map: listener OPEN is PLAINTEXT, which has no SASL");
    }

    private static SaslSettings settings(String ofAll, String ofOne) {
        Map<String, String[]> values = Map.of(
                "sasl_enabled_mechanisms", new String[] {ofAll}, "listener_sasl_mechanisms_map", new String[] {ofOne});
        NetworkServer.Config config = (NetworkServer.Config) Proxy.newProxyInstance(
                NetworkServer.Config.class.getClassLoader(),
                new Class<?>[] {NetworkServer.Config.class},
                (proxy, method, arguments) ->
                        values.containsKey(method.getName()) ? values.get(method.getName()) : method.getDefaultValue());
        return SaslSettings.of(config, LISTENERS);
    }
}
