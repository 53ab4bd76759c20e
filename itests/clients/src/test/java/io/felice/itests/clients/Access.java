package io.felice.itests.clients;

import io.felice.itests.rig.KafkaTools;
import io.felice.itests.rig.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a client needs to reach a secured node, in words that are translated for each client: {@code bootstrap}, {@code
 * protocol}, {@code ca}; {@code certificate} and {@code key}; {@code mechanism}; {@code user} and {@code password};
 * {@code token}. Certificates and the key are PEM files.
 */
record Access(Map<String, String> words) {
    private static final String MODULES = "org.apache.kafka.common.security.";

    Access {
        words = Map.copyOf(words);
    }

    /** @param ca the certificate that the client trusts */
    static Access to(String bootstrap, String protocol, Path ca) {
        return new Access(Map.of("bootstrap", bootstrap, "protocol", protocol, "ca", ca.toString()));
    }

    Access with(String word, String value) {
        Map<String, String> changed = new HashMap<>(words);
        changed.put(word, value);
        return new Access(changed);
    }

    String word(String name) {
        return words.get(name);
    }

    boolean has(String name) {
        return words.containsKey(name);
    }

    /** {@code WORD=VALUE} for each word but {@code bootstrap}. */
    List<String> arguments() {
        return new TreeMap<>(words)
                .entrySet().stream()
                        .filter(entry -> !entry.getKey().equals("bootstrap"))
                        .map(entry -> entry.getKey() + "=" + entry.getValue())
                        .toList();
    }

    /** The settings of Kafka's Java clients and tools. */
    Map<String, Object> ofJava() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", word("bootstrap"));
        settings.put("security.protocol", word("protocol"));
        settings.put("ssl.truststore.type", "PEM");
        settings.put("ssl.truststore.location", word("ca"));
        if (has("certificate")) {
            settings.put("ssl.keystore.type", "PEM");
            settings.put("ssl.keystore.location", keyAndCertificate().toString());
        }
        if (has("mechanism")) {
            settings.put("sasl.mechanism", word("mechanism"));
            settings.put("sasl.jaas.config", MODULES + module());
        }
        if (has("token")) {
            String url = tokenFile().toUri().toString();
            System.setProperty(KafkaTools.ALLOWED_TOKENS, url);
            settings.put("sasl.oauthbearer.token.endpoint.url", url);
            settings.put("sasl.login.callback.handler.class", MODULES + "oauthbearer.OAuthBearerLoginCallbackHandler");
        }
        return settings;
    }

    private String module() {
        if (has("token")) {
            return "oauthbearer.OAuthBearerLoginModule required;";
        }
        String module = word("mechanism").equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        return module + " required username=\"" + word("user") + "\" password=\"" + word("password") + "\";";
    }

    private Path keyAndCertificate() {
        try {
            Path file = Programs.temporary("certificate");
            String key = Files.readString(Path.of(word("key")));
            return Files.writeString(file, key + Files.readString(Path.of(word("certificate"))));
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    private Path tokenFile() {
        try {
            return Files.writeString(Programs.temporary("token"), word("token"));
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    /** The options of kcat. */
    List<String> ofKcat() {
        Map<String, String> names = Map.of(
                "protocol", "security.protocol",
                "ca", "ssl.ca.location",
                "certificate", "ssl.certificate.location",
                "key", "ssl.key.location",
                "mechanism", "sasl.mechanisms",
                "user", "sasl.username",
                "password", "sasl.password");
        List<String> options = new ArrayList<>(List.of("-b", word("bootstrap")));
        names.forEach((word, name) -> {
            if (has(word)) {
                options.addAll(List.of("-X", name + "=" + word(word)));
            }
        });
        return options;
    }
}
