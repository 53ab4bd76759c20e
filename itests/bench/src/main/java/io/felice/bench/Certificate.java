package io.felice.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The certificate that both brokers show on their listeners SSL.
 *
 * @param keyStore a PKCS#12 file with the key
 * @param trustStore a PKCS#12 file with the certificate alone, for clients
 */
record Certificate(Path keyStore, Path trustStore) {
    static final String PASSWORD = "changeit";

    static Certificate make(Path directory) throws IOException, InterruptedException {
        Files.createDirectories(directory);
        Path keyStore = directory.resolve("broker.p12");
        Path trustStore = directory.resolve("clients.p12");
        Path certificate = directory.resolve("broker.crt");
        String store = " -storetype PKCS12 -storepass " + PASSWORD;
        keytool("-genkeypair -alias broker -keyalg EC -dname CN=broker -ext san=ip:127.0.0.1 -keystore " + keyStore
                + store);
        keytool("-exportcert -alias broker -keystore " + keyStore + " -file " + certificate + store);
        keytool("-importcert -noprompt -alias broker -file " + certificate + " -keystore " + trustStore + store);
        return new Certificate(keyStore, trustStore);
    }

    private static void keytool(String arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments.split(" ")));
        Process tool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(tool.getInputStream().readAllBytes());
        if (tool.waitFor() != 0) {
            throw new IOException("keytool failed: " + output);
        }
    }

    /** What a client needs to talk to a listener SSL. */
    Map<String, Object> clientSettings() {
        return Map.of(
                "security.protocol",
                "SSL",
                "ssl.truststore.type",
                "PKCS12",
                "ssl.truststore.location",
                trustStore.toString(),
                "ssl.truststore.password",
                PASSWORD);
    }
}
