package io.felice.cluster.zookeeper;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;

/** The secret with which brokers authenticate to ZooKeeper. Only its owners can read and write the metadata. */
final class AccessSecret {
    private static final int BYTES = 32;

    private AccessSecret() {}

    /**
     * Reads the secret. Creates the file if it is missing and {@code mayMake} is true.
     *
     * @return a digest identity, {@code felice:secret}
     * @throws IOException with a sentence for the operator as its message
     */
    static byte[] read(Path file, boolean mayMake) throws IOException {
        if (!Files.exists(file)) {
            if (!mayMake) {
                throw new IOException("The ZooKeeper secret " + file
                        + " is missing. Copy it from another broker of the cluster; for the first one, write a long random"
                        + " word into it.");
            }
            byte[] random = new byte[BYTES];
            new SecureRandom().nextBytes(random);
            OwnFile.write(file, HexFormat.of().formatHex(random) + "\n");
        }
        String secret = Files.readString(file).trim();
        if (secret.isEmpty()) {
            throw new IOException("The ZooKeeper secret " + file + " is empty.");
        }
        return ("felice:" + secret).getBytes(StandardCharsets.UTF_8);
    }
}
